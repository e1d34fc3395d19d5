"""The one table that the Morango peer replicates."""
