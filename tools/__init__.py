"""What a clone needs around the code: its environments, and the servers that tests talk to."""
