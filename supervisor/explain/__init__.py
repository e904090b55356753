"""What an anomaly or drift event says, with the messages around it: facts, pictures, words."""
