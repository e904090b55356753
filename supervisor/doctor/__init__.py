"""What may be wrong with a pipeline and with what it stands on; each fault with its remedy."""
