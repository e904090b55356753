"""The trial of detectors on a stream's retained messages, in a process of its own."""
