"""The tests: one file per module, each test named after the claim it proves."""
