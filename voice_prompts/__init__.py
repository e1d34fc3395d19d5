"""Part of bianmin; see docs/architecture.md."""
