"""Objects by key, whole or by range, on a local disk or in S3."""
