"""Running retained messages through today's topology and another one, and comparing what comes."""
