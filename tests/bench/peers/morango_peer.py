"""Morango beside us, in its own environment: `morango_peer.py serve|push PORT FOLDER [DOCUMENTS]`.

Run by `tests.bench.peers` with .build/peers/morango's Python; nothing of it is shipped.
"""
# mypy: ignore-errors

import json
import logging
import sys
import time
from pathlib import Path

PORT, FOLDER = int(sys.argv[2]), Path(sys.argv[3])
sys.path.insert(0, str(Path(__file__).parent))

import django  # noqa: E402
from django.conf import settings  # noqa: E402

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(FOLDER / "morango.db"),
            "OPTIONS": {"timeout": 60},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework",
        "mptt",
        "morango",
        "morango_records",
    ],
    MIDDLEWARE=[],
    ROOT_URLCONF="morango.urls",
    SECRET_KEY="of a measurement",
    ALLOWED_HOSTS=["*"],
    DEBUG=False,
    USE_TZ=True,
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
logging.disable(logging.WARNING)

from django.core.management import call_command  # noqa: E402
from morango.models.certificates import Certificate, Filter, Key, ScopeDefinition  # noqa: E402
from morango.models.core import DatabaseIDModel, InstanceIDModel  # noqa: E402
from morango.sync.controller import MorangoProfileController  # noqa: E402
from morango_records.models import Record  # noqa: E402


def prepare() -> Certificate:
    """Make tables and the certificate that both sides hold."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    ScopeDefinition.objects.get_or_create(
        id="all",
        defaults={
            "profile": "bench",
            "version": 1,
            "primary_scope_param_key": "all",
            "description": "all of it",
            "read_filter_template": "",
            "write_filter_template": "",
            "read_write_filter_template": "${all}",
        },
    )
    if not Certificate.objects.exists():
        shared = FOLDER.parent / "certificate.json"
        if shared.exists():
            told = json.loads(shared.read_text())
            certificate = Certificate.deserialize(told["serialized"], told["signature"])
            certificate.private_key = Key(private_key_string=told["private_key"])
            certificate.save()
        else:
            certificate = Certificate.generate_root_certificate("all")
            shared.write_text(
                json.dumps(
                    {
                        "serialized": certificate.serialized,
                        "signature": certificate.signature,
                        "private_key": certificate.private_key.get_private_key_string(),
                    }
                )
            )
    DatabaseIDModel.get_or_create_current_database_id()
    InstanceIDModel.get_or_create_current_instance()
    certificate = Certificate.objects.get()
    Record.partition = certificate.id
    return certificate


def serve() -> None:
    """Answer until killed; threads, as its own documentation serves."""
    prepare()
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    from django.core.wsgi import get_wsgi_application

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = make_server(
        "127.0.0.1", PORT, get_wsgi_application(), server_class=Server, handler_class=Quiet
    )
    print("ready", flush=True)
    server.serve_forever()


def push() -> None:
    """Store documents, wait for a line, and push all of them."""
    certificate = prepare()
    from django.db import transaction

    documents = json.loads(Path(sys.argv[4]).read_text("utf-8"))
    with transaction.atomic():
        for document in documents:
            Record(body=json.dumps(document, ensure_ascii=False)).save()
    controller = MorangoProfileController("bench")
    connection = controller.create_network_connection(f"http://127.0.0.1:{PORT}/")
    print("ready", flush=True)
    sys.stdin.readline()
    begun_s = time.perf_counter()
    session = connection.create_sync_session(certificate, certificate, chunk_size=500)
    client = session.get_push_client()
    client.initialize(Filter(certificate.id))
    client.run()
    client.finalize()
    seconds = time.perf_counter() - begun_s
    print(json.dumps({"seconds": seconds}))


def held() -> None:
    """Tell how many documents the centre's table has."""
    print(Record.objects.count())


if __name__ == "__main__":
    {"serve": serve, "push": push, "held": held}[sys.argv[1]]()
