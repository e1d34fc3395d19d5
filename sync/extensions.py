"""Room in every frame for what later versions add, without a new format."""

from sync import limits
from sync.octets import Reader, WireError, counted, uvarint

Extensions = tuple[tuple[int, bytes], ...]
TAG_MAX = 0xFFFF_FFFF


def encode_extensions(extensions: Extensions) -> bytes:
    """Write extensions: tag, length, bytes each.

    Raises:
        ValueError: Too many, or not in rising order of tags.
    """
    tags = [tag for tag, _ in extensions]
    if tags != sorted(set(tags)) or len(tags) > limits.EXTENSIONS_MAX:
        raise ValueError("extensions are few, each tag once, in rising order")
    return b"".join(uvarint(tag) + counted(raw) for tag, raw in extensions)


def read_extensions(reader: Reader, known_tags: frozenset[int]) -> Extensions:
    """Read extensions to the end; unknown even tags are kept, unknown odd ones refuse.

    Raises:
        WireError: One must be understood and is not, or they are not written so.
    """
    extensions: list[tuple[int, bytes]] = []
    while reader.left:
        tag = reader.uvarint(TAG_MAX)
        if len(extensions) == limits.EXTENSIONS_MAX:
            raise WireError("too many extensions")
        if extensions and tag <= extensions[-1][0]:
            raise WireError("extensions are not in rising order")
        if tag % 2 and tag not in known_tags:
            raise WireError("an extension that must be understood is not known here")
        extensions.append((tag, reader.counted(limits.FRAME_BYTES_MAX)))
    return tuple(extensions)
