"""An original in, CMAF chunks and facts for the title index out."""
