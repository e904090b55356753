"""The console: what its web page shows, as JSON and SVG; the page itself lies in ``static``."""
