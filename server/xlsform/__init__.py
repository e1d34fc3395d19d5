"""Forms that others wrote as XLSForm, read into services of ours or refused by cell."""
