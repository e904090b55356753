"""The live screen of streams, workers and open events."""
