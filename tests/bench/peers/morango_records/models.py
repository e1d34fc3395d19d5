"""A transaction as Morango keeps it: an id and a JSON text."""
# mypy: ignore-errors

from django.db import models
from morango.models.core import SyncableModel


class Record(SyncableModel):
    """One document."""

    morango_profile = "bench"
    morango_model_name = "record"

    #: All of the data, under the name that the root certificate has.
    partition = ""

    body = models.TextField()

    def calculate_source_id(self, *_, **__):
        """Answer nothing: an id is drawn."""

    def calculate_partition(self, *_, **__):
        """Answer the part of the data that is replicated: all of it."""
        return self.partition
