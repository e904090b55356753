"""Pictures of numbers: what is to be seen, and how it is drawn on a terminal and as SVG. Pure."""

from supervisor.plot.pictures import Band, Box, Boxes, Picture, Trace

__all__ = ["Band", "Box", "Boxes", "Picture", "Trace"]
