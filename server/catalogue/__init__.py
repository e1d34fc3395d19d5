"""What can be applied for: checks, publishing, and the shelf of published versions."""
