"""Who may watch: accounts, tokens, decisions."""
