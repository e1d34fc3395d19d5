"""Passwords are stored as RFC 9106 asks, and only the right one fits."""

from server.people.passwords import Passwords


async def test_hash_is_argon2id_of_the_low_memory_profile() -> None:
    passwords = Passwords()

    stored = await passwords.hashed("four quiet herons walk")

    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.is_right(stored, "four quiet herons walk")
    assert not await passwords.is_right(stored, "four quiet herons run")
    assert not await passwords.is_right(None, "nobody has this password")
    passwords.close()
