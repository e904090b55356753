"""Running what is tainted through the pipeline's handlers again, and comparing what comes of it."""
