"""What the simulation must notice: checks, syncs, dedupes and boundaries taken out on purpose.

Each is a text of the product and what stands in its place. An old text must be there exactly
once: a mutation that no longer applies is a defect of this list. A check that another one stands
behind (defence in depth) is taken out together with that other one.
"""

from typing import NamedTuple


class Edit(NamedTuple):
    """One replacement."""

    file: str
    old: str
    new: str


class Mutation(NamedTuple):
    """One way to be wrong."""

    name: str
    edits: tuple[Edit, ...]
    #: Names of scenarios and numbers of seeds to try first.
    first: tuple[str, ...] = ()

    @property
    def file_names(self) -> str:
        """Answer which files it changes."""
        return ", ".join(dict.fromkeys(edit.file for edit in self.edits))


def _one(name: str, file: str, old: str, new: str, *first: str) -> Mutation:
    return Mutation(name, (Edit(file, old, new),), first)


_CURSOR = '    db.conn.execute("UPDATE standing SET cursor = max(cursor, ?)", (cursor,))\n    '
_ENQUEUED = '    db.conn.execute(\n        "INSERT INTO outbox (seq, envelope, signature)'
_NEW_COMMIT = 'db.conn.execute("COMMIT")\n    db.conn.execute("BEGIN IMMEDIATE")\n    '

#: Of the kiosk: its store, and what it believes.
KIOSK = (
    _one(
        "kiosk: synced never",
        "sync/storefile.py",
        '"synchronous = FULL",',
        '"synchronous = OFF",',
    ),
    _one(
        "kiosk: synced at checkpoints only",
        "sync/storefile.py",
        '"synchronous = FULL",',
        '"synchronous = NORMAL",',
    ),
    _one(
        "kiosk: receipt and envelope in two commits",
        "sync/outbox.py",
        _ENQUEUED,
        "    " + _NEW_COMMIT + _ENQUEUED.lstrip(),
        "cut_in_every_write_of_a_submit",
    ),
    _one(
        "kiosk: answers left in the clear",
        "sync/outbox.py",
        "        _enqueue_attachment(db, header.seq, attachment.index, sealed)\n    return receipt",
        "        _enqueue_attachment(db, header.seq, attachment.index, sealed)\n"
        "    remember_person(db, body, receipt.case_no)\n    return receipt",
    ),
    Mutation(
        "kiosk: submit not idempotent",
        (
            Edit(
                "sync/outbox.py",
                "    if (receipt := receipt_of(db, transaction_id)) is not None:\n"
                "        return receipt\n    head_seq",
                "    head_seq",
            ),
            Edit(
                "sync/schema.py",
                "transaction_id BLOB NOT NULL UNIQUE,",
                "transaction_id BLOB NOT NULL,",
            ),
        ),
    ),
    _one(
        "kiosk: envelopes not linked",
        "sync/outbox.py",
        "        prev=head_hash,",
        "        prev=bytes(8),",
    ),
    _one(
        "kiosk: pruned by its own clock",
        "sync/agent.py",
        "lambda db: outbox.prune(db, standing.standing_of(db).centre_ms)",
        "lambda db: outbox.prune(db, self._clock.now_ms())",
        "pruned_by_a_wrong_clock",
    ),
    _one(
        "kiosk: rotten envelope sent",
        "sync/standing.py",
        "    if bytes_hash(raw) == confirmed:",
        "    if bytes_hash(raw):",
        "rotten_card",
    ),
    _one(
        "kiosk: request counter not kept",
        "sync/standing.py",
        '    db.conn.execute("UPDATE standing SET counter = counter + 1")\n'
        "    return msgspec.structs.replace(view, standing=standing_of(db))",
        "    held = standing_of(db)\n"
        "    held = msgspec.structs.replace(held, counter=held.counter + 1)\n"
        "    return msgspec.structs.replace(view, standing=held)",
    ),
    _one(
        "kiosk: cursor kept in a commit before its notices",
        "sync/standing.py",
        "    for notice in notices:\n",
        _CURSOR + _NEW_COMMIT + "for notice in notices:\n",
        "cut_in_every_write_of_a_reply",
    ),
    _one(
        "kiosk: cursor skips a notice",
        "sync/correspondence.py",
        "cursor=max((notice.number for notice in reply.notices), default=0),",
        "cursor=max((notice.number + 1 for notice in reply.notices), default=0),",
    ),
    _one(
        "kiosk: cursor not reset by a restored centre",
        "sync/standing.py",
        '        db.conn.execute("UPDATE standing SET cursor = 0")',
        "        pass",
        "notices_after_a_restore",
    ),
    Mutation(
        "kiosk: same notice told twice",
        (
            Edit(
                "sync/notices.py",
                "hashlib.sha256(encode_notice(notice))",
                "hashlib.sha256(bytes([notice.number % 256]) + encode_notice(notice))",
            ),
        ),
        ("notices_after_a_restore",),
    ),
    _one(
        "kiosk: reply not verified",
        "sync/frames.py",
        '        signing.verify(certificate.public, "reply", part, signature)\n',
        "",
        "thief_with_no_key",
    ),
    _one(
        "kiosk: reply to another request believed",
        "sync/frames.py",
        "    if reply.request_hash != request_hash(request_raw) or reply.kiosk_id != kiosk_id:",
        "    if reply.kiosk_id != kiosk_id:",
        "answered_from_a_cache",
    ),
    _one(
        "kiosk: replaced certificate believed",
        "sync/signing.py",
        "    if trust.certificate is not None and certificate.serial < trust.certificate.serial:",
        "    if trust.certificate is not None and certificate.serial < 0:",
        "thief_with_a_replaced_key",
    ),
    _one(
        "kiosk: certificate without the root believed",
        "sync/signing.py",
        "        except SignatureRefused:\n            continue\n        return certificate",
        "        except SignatureRefused:\n            pass\n        return certificate",
        "thief_with_a_root_of_his_own",
    ),
    _one(
        "kiosk: acknowledged by number",
        "sync/exchange.py",
        "    is_ours = reply.mark_seq > 0 and own_hash_at_mark == reply.mark_hash",
        "    is_ours = reply.mark_seq > 0",
        "acknowledged_by_number",
    ),
    _one(
        "kiosk: old centre believed",
        "sync/exchange.py",
        "    if reply.epoch < standing.epoch:\n",
        "    if reply.epoch < 0:\n",
        "10",
    ),
    _one(
        "kiosk: nothing requeued for a restored centre",
        "sync/exchange.py",
        "    if 0 < standing.epoch < reply.epoch:\n        return after_mark",
        "    if 0 < standing.epoch < reply.epoch:\n        return 0",
    ),
    _one(
        "kiosk: attachments not requeued for a restored centre",
        "sync/standing.py",
        '        " WHERE seq >= ? OR ?",\n',
        '        " WHERE 0 AND (seq >= ? OR ?)",\n',
        "2",
    ),
    Mutation(
        "kiosk: nothing sent again after a failover",
        (
            Edit(
                "sync/exchange.py",
                "    has_lost = reply.mark_seq < known_mark",
                "    has_lost = reply.mark_seq < 0",
            ),
            Edit(
                "sync/exchange.py",
                "    return after_mark if is_chain_ours and is_behind and is_due else 0",
                "    return after_mark if is_chain_ours and is_behind and not is_due else 0",
            ),
        ),
        ("failed_over_to_a_late_copy",),
    ),
    _one(
        "kiosk: photo leaves a full card before it arrived",
        "sync/outbox.py",
        "        \" WHERE state = 'settled' ORDER BY settled_ms, seq LIMIT ?)\",",
        '        " ORDER BY settled_ms, seq LIMIT ?)",',
        "full_card_with_a_photo_on_its_way",
    ),
    _one(
        "kiosk: photos not offered to a restored centre",
        "sync/standing.py",
        '        " WHERE seq >= ? OR ?",',
        '        " WHERE seq >= ? AND ? > 1",',
        "photo_is_asked_for_by_a_restored_centre",
    ),
    _one(
        "kiosk: attachment settled by its first piece",
        "sync/standing.py",
        "        \" state = CASE WHEN ?1 >= size_bytes THEN 'settled' ELSE 'pending' END,\"",
        "        \" state = CASE WHEN ?1 > 0 THEN 'settled' ELSE 'pending' END,\"",
        "large_photo",
    ),
    _one(
        "kiosk: attachment resumed at a wrong place",
        "sync/standing.py",
        "        data=piece_of(db, attachment, attachment.received_bytes, piece.size_bytes),",
        "        data=piece_of(db, attachment, 0, piece.size_bytes),",
        "large_photo",
    ),
    _one(
        "kiosk: old copy gives used numbers again",
        "sync/duty.py",
        "    if fresh.seq != head_seq:",
        "    if fresh.seq < 0:",
        "old_copy_takes_no_used_number",
    ),
    Mutation(
        "kiosk: older catalogue put in force",
        (
            Edit(
                "sync/catalogues.py",
                "    if manifest.version < _in_force(db):",
                "    if manifest.version < 0:",
            ),
            Edit(
                "sync/fetching.py",
                "        if manifest_hash and hashlib.sha256(raw).digest() != manifest_hash:",
                "        if not manifest_hash:",
            ),
        ),
        ("old_catalogue_comes_again",),
    ),
    Mutation(
        "stick: older catalogue put in force",
        (
            Edit(
                "sync/shipment.py",
                "        if manifest.version > held.catalogue:",
                "        if manifest.version:",
            ),
            Edit(
                "sync/catalogues.py",
                "    if manifest.version < _in_force(db):",
                "    if manifest.version < 0:",
            ),
        ),
        ("old_catalogue_on_a_stick",),
    ),
    _one(
        "stick: judged by number",
        "sync/returned.py",
        "        if envelope_hash(envelope) == held.hashes.get(envelope.header.seq)\n",
        "        if held.hashes.get(envelope.header.seq)\n",
        "stick_of_before_an_old_image",
    ),
    _one(
        "stick: reply from before a restore believed",
        "sync/returned.py",
        "    if reply.epoch < standing.epoch:\n",
        "    if reply.epoch < 0:\n",
        "stick_of_before_a_restore",
    ),
    Mutation(
        "seal: header not bound in",
        (
            Edit(
                "sync/sealing.py",
                '    return _closed(public.raw, b"bianmin/1/seal" + header_bytes, plaintext)',
                '    return _closed(public.raw, b"bianmin/1/seal", plaintext)',
            ),
            Edit(
                "sync/sealing.py",
                '    return _opened(private, b"bianmin/1/seal" + header_bytes, sealed)',
                '    return _opened(private, b"bianmin/1/seal", sealed)',
            ),
        ),
        ("strangers_at_the_door",),
    ),
    _one(
        "seal: attachment not bound to its envelope",
        "sync/sealing.py",
        "    digest = hashlib.sha256(envelope).digest()\n",
        "    digest = bytes(32)\n",
        "two_cards_two_photos",
    ),
)

#: Of the centre: what it takes in and keeps, its pipeline and its vault.
CENTRE = (
    _one(
        "centre: synced at checkpoints only",
        "server/store/sqlite.py",
        'conn.execute("PRAGMA synchronous=FULL")',
        'conn.execute("PRAGMA synchronous=NORMAL")',
    ),
    _one(
        "centre: answered before the commit",
        "server/store/sqlite.py",
        '            conn.execute("RELEASE job")\n        conn.execute("COMMIT")',
        '            conn.execute("RELEASE job")\n        for job in jobs:\n'
        '            job.tell()\n        conn.execute("COMMIT")',
        "centre_fails_a_commit",
    ),
    _one(
        "centre: request not verified",
        "server/reception.py",
        "            asked = frames.verify_request(received, public)",
        "            asked = received.request",
        "strangers_in_a_kiosks_name",
    ),
    _one(
        "centre: slip not verified",
        "server/api/courier.py",
        '        signing.verify(kiosk.device_public, "envelope", '
        "envelope_bytes(envelope), signature)",
        "        pass",
        "strangers_in_a_kiosks_name",
    ),
    _one(
        "centre: counted instead of walked",
        "server/ingest.py",
        "        if link is None or link.prev != last:",
        "        if link is None:",
        "counted_instead_of_walked",
    ),
    _one(
        "centre: mark stays where numbers are double",
        "server/ingest.py",
        "    if not doubled:\n        return chain",
        "    if doubled:\n        return chain\n    if not doubled:\n        return chain",
        "two_cards_two_photos",
    ),
    _one(
        "centre: freshness not asked",
        "server/ingest.py",
        "    is_risen = asked.counter > newest.counter",
        "    is_risen = asked.counter > 0",
        "replayed_by_a_stranger",
    ),
    _one(
        "centre: old image not noticed",
        "server/exchange.py",
        "    if fresh.is_old_image:\n",
        "    if not fresh:\n",
        "old_copy_takes_no_used_number",
    ),
    _one(
        "centre: same envelope stored twice",
        "server/store/inbox.py",
        "is_known=(seq, hashed) in held,",
        "is_known=not held,",
    ),
    _one(
        "centre: revoked not quarantined",
        "server/store/inbox.py",
        '    is_quarantined = kiosk.state == "revoked"',
        "    is_quarantined = False",
        "revoked_with_a_backlog",
    ),
    _one(
        "centre: accepted from quarantine, never released",
        "server/store/reviews.py",
        '        if verdict == "accepted":\n',
        '        if verdict != "accepted":\n            pass\n        elif not verdict:\n',
        "revoked_with_a_backlog",
    ),
    _one(
        "centre: revoked kiosk's photos taken",
        "server/store/attachments.py",
        '    if kiosk.state == "revoked" and not reviews',
        '    if kiosk.state == "?" and not reviews',
        "revoked_with_a_backlog",
    ),
    _one(
        "centre: photos without a transaction taken",
        "server/store/attachments.py",
        "        if not envelopes:\n            return 0\n"
        "        owner = envelopes[0] if len(envelopes) == 1",
        "        owner = None if not envelopes else envelopes[0] if len(envelopes) == 1",
        "strangers_at_the_door",
    ),
    _one(
        "centre: attachment's digest not checked",
        "server/store/attachments.py",
        "    if hashlib.sha256(sealed).digest()[: frames.DIGEST_BYTES] != place[3]:",
        "    if not place[3]:",
        "rotten_card",
    ),
    _one(
        "centre: notices go on from a cursor of before a restore",
        "server/exchange.py",
        "    cursor = request.cursor if request.epoch in (0, epoch) else 0",
        "    cursor = request.cursor",
        "notices_after_a_restore",
    ),
    _one(
        "centre: notices after the next one",
        "server/store/notices.py",
        "WHERE kiosk_id = ? AND number > ? ",
        "WHERE kiosk_id = ? AND number > ? + 1 ",
    ),
    _one(
        "centre: catalogue's number does not tell the time",
        "server/catalogue/publish.py",
        " + step + since_ms // limits.CATALOGUE_VERSION_MS",
        " + step",
        "number_of_an_edition_was_given_again_before_anybody_spoke",
    ),
    _one(
        "pipeline: transaction's id not remembered",
        "server/pipeline.py",
        "    if not outcomes.remember(conn, routed.transaction_id, envelope.id):",
        "    if not routed.transaction_id:",
        "confirmed_again_on_an_old_image",
    ),
    _one(
        "pipeline: one number for two cases",
        "server/store/outcomes.py",
        "    if number not in taken:\n        return number",
        "    return number",
        "two_cards_two_photos",
    ),
    _one(
        "pipeline: letters wait for a case that came",
        "server/store/outcomes.py",
        '    release(conn, f"case:{case_no}")\n',
        "",
        "rating_before_its_case",
    ),
    _one(
        "pipeline: letters wait for a case of their own batch",
        "server/pipeline.py",
        "        case Failed(awaits=awaits) if outcomes.has_come(conn, awaits):",
        "        case Failed(awaits=awaits) if awaits is None:",
        "correction_right_behind_its_case",
    ),
    _one(
        "pipeline: letters wait for a catalogue that came",
        "server/pipeline.py",
        "            await self._store.write(outcomes.release_published)",
        "            pass",
        "catalogue_after_its_transaction",
    ),
    _one(
        "pipeline: replay does nothing",
        "server/store/cases.py",
        "    conn.execute(\"UPDATE envelopes SET fate = 'waiting' WHERE id = ?\", "
        "(envelope_id,))\n",
        "",
        "poisoned_and_replayed",
    ),
    _one(
        "pipeline: letter stays when it became a case",
        "server/store/outcomes.py",
        '    if fate != "dead":\n',
        '    if fate == "":\n',
        "rating_before_its_case",
    ),
    _one(
        "pipeline: case without its notice",
        "server/store/outcomes.py",
        "        notices.write_for_case(conn, case, kind, now_ms)\n    set_fate",
        "        pass\n    set_fate",
    ),
    Mutation(
        "vault: opened before the ledger",
        (
            Edit(
                "server/vault/service.py",
                '        root = root_of(f"{item.kiosk_id.hex()}/{item.seq}"',
                "        routed = tuple(self._route_one(item) for item in envelopes)\n"
                '        root = root_of(f"{item.kiosk_id.hex()}/{item.seq}"',
            ),
            Edit(
                "server/vault/service.py",
                "        return protocol.Routing(items=tuple(self._route_one(item) for item in "
                "envelopes))",
                "        return protocol.Routing(items=routed)",
            ),
        ),
    ),
    _one(
        "vault: ledger synced at checkpoints only",
        "server/vault/ledger.py",
        'self._conn.execute("PRAGMA synchronous=FULL")',
        'self._conn.execute("PRAGMA synchronous=NORMAL")',
        "looked_at_before_a_power_cut",
    ),
    _one(
        "vault: ledger's directory not synced",
        "server/vault/ledger.py",
        "        disk.sync_directory(path.parent)\n",
        "",
        "ledger_began_anew",
    ),
    _one(
        "vault: look not written down",
        "server/vault/service.py",
        '        entry = self._recorded(request, "open", case, " ".join(sorted(fields)))',
        "        entry = self._ledger.entries(1)[0]",
        "looked_at_before_a_power_cut",
    ),
)

#: Of what stands against a disk that fails.
DISK = (
    _one(
        "vault: goes on behind a failed sync",
        "server/vault/ledger.py",
        '        disk.settle(path.with_name(path.name + "-wal"))\n',
        "",
        "ledger_synced_a_lost_entry",
    ),
)

MUTATIONS: tuple[Mutation, ...] = (*KIOSK, *CENTRE, *DISK)
