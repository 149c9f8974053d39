"""HTTP: handlers that parse, call and answer, and the tables that join them."""
