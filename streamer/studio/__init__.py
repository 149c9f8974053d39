"""The content team's side: uploads, the ledger of encodes, publishing."""
