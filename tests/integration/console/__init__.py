"""The console in a real browser; a package, so that its tests share one supervisor."""
