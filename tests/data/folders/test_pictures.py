"""Picture files: odd ones, large ones, those lying on their side, and those of many bits."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from mtgan.data.folders import pictures
from mtgan.data.folders.pictures import (
    Refusal,
    attempt,
    attempt_all,
    decode,
    is_picture,
    read_header,
)

PIXELS = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3) * 10
ORIENTATION = ExifTags.Base.Orientation
# What the eight orientations make of an array [H, W, C]: EXIF's own table.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}


def png(width: int, height: int, bits: int, kind: int, pixels: bytes, *after: bytes) -> bytes:
    """A PNG of rows as they are; `after`: whole chunks that follow the pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(pixels))]
    parts += [chunk(body[:4], body[4:]) for body in after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


# Orientation


@pytest.mark.parametrize("turn", UPRIGHT)
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
def test_orientation_once(tmp_path: Path, suffix: str, turn: int) -> None:
    path = tmp_path / f"x.{suffix}"
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    exact = {"webp": {"lossless": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}}
    big = PIXELS.repeat(8, axis=0).repeat(8, axis=1)  # blocks that a JPEG leaves nearly as they are
    Image.fromarray(big).save(path, exif=exif, **exact.get(suffix, {"quality": 100}))
    expected = UPRIGHT[turn](big).transpose(2, 0, 1)
    header = read_header(path)
    assert (header.height, header.width) == expected.shape[1:]
    found = decode(path, expected.shape[1:], 3)
    assert np.abs(found.astype(int) - expected).mean() < 6


@pytest.mark.parametrize(
    "chunk",
    [
        b"eXIfII*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0",
        b'iTXtXML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>',
    ],
    ids=["exif", "xmp"],
)
def test_orientation_that_follows_the_pixels_of_a_png(tmp_path: Path, chunk: bytes) -> None:
    text = b"tEXtdate\0today"
    (tmp_path / "x.png").write_bytes(png(4, 1, 8, 0, b"\0\1\2\3\4", text, chunk))
    header = read_header(tmp_path / "x.png")
    assert (header.height, header.width) == (4, 1)
    assert decode(tmp_path / "x.png", (4, 1), 1).ravel().tolist() == [1, 2, 3, 4]


def exif_block(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Entries (tag, type, count, four bytes) as an EXIF block."""
    body = struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        body += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return b"Exif\0\0II*\0\x08\0\0\0" + body + struct.pack("<I", 0)


TURNED = (0x112, 3, 1, struct.pack("<H", 6))


@pytest.mark.parametrize(
    ("block", "sides"),
    [
        (exif_block((0x112, 2, 2, b"6\0")), (2, 4)),  # an orientation in letters
        (exif_block((0x112, 3, 1, struct.pack("<H", 9))), (2, 4)),
        (exif_block((0x112, 5, 1, b"\xff\xff\0\0")), (2, 4)),
        (exif_block(TURNED, (0x128, 2, 2, b"2\0")), (4, 2)),  # a resolution unit in letters
        (exif_block((0x100, 2, 4, b"abc\0"), TURNED), (4, 2)),  # a width in letters
        (b"Exif\0\0garbage", (2, 4)),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_odd_metadata_and_good_pixels(
    tmp_path: Path, suffix: str, block: bytes, sides: tuple[int, int]
) -> None:
    path = tmp_path / f"x.{suffix}"
    Image.fromarray(PIXELS).save(path, exif=block)
    header = attempt(read_header, path)
    assert (header.height, header.width) == sides
    assert decode(path, sides, 3).shape == (3, *sides)


# Pixels of many bits


GRAY = np.array([[0, 255, 256, 300, 0x1234, 0x8000, 0xFEFF, 0xFFFF]], dtype=np.uint16)
EIGHT = [0, 0, 1, 1, 0x12, 0x80, 0xFE, 0xFF]  # the upper bytes


def netpbm(values: np.ndarray, white: int) -> bytes:
    return f"P5 {values.shape[1]} 1 {white}\n".encode() + values.astype(">u2").tobytes()


def saved(kind: str, values: np.ndarray, mode: str = "I;16", **options) -> bytes:
    file = io.BytesIO()
    size = (values.shape[1], values.shape[0])
    Image.frombytes(mode, size, values.tobytes()).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("png", png(8, 1, 16, 0, b"\0" + GRAY.astype(">u2").tobytes())),
        ("pgm", netpbm(GRAY, 65535)),
        ("txt.pgm", b"P2 8 1 65535 " + " ".join(map(str, GRAY[0])).encode()),
        ("tif", saved("TIFF", GRAY)),
        ("packed.tif", saved("TIFF", GRAY, compression="tiff_deflate")),
        ("big.tif", saved("TIFF", GRAY.astype(">u2"), "I;16B")),
        ("inverse.tif", saved("TIFF", GRAY ^ 0xFFFF, tiffinfo={262: 0})),
        ("jp2", saved("JPEG2000", GRAY)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_gray_of_sixteen_bits(tmp_path: Path, name: str, content: bytes, channels: int) -> None:
    path = tmp_path / f"x.{name}"
    path.write_bytes(content)
    header = read_header(path)
    assert (header.color, header.span) == (False, None)
    for plane in decode(path, (1, 8), channels):
        assert plane[0].tolist() == EIGHT


def test_gray_of_twelve_bits(tmp_path: Path) -> None:
    """A PGM says what is white; a TIFF says how many bits there are."""
    (tmp_path / "x.pgm").write_bytes(netpbm(np.array([[0, 16, 1000, 4095]]), 4095))
    assert decode(tmp_path / "x.pgm", (1, 4), 1).ravel().tolist() == [0, 1, 62, 255]
    entries = [(256, 3, 2), (257, 3, 1), (258, 3, 12), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, 8), (277, 3, 1), (278, 3, 1), (279, 4, 3)]
    tags = b"".join(
        struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value) for tag, kind, value in entries
    )
    pixels = bytes([0x12, 0x3F, 0xFF])  # 0x123 and 0xFFF
    content = b"II*\0" + struct.pack("<I", 12) + pixels + b"\0"
    (tmp_path / "x.tif").write_bytes(content + struct.pack("<H", len(entries)) + tags + bytes(4))
    assert decode(tmp_path / "x.tif", (1, 2), 1).ravel().tolist() == [0x12, 0xFF]


def test_color_of_sixteen_bits_is_as_gray(tmp_path: Path) -> None:
    pixels = GRAY[..., None].repeat(4, axis=2)
    pixels[..., 3] = 65535
    for kind, channels in ((2, [0, 1, 2]), (4, [0, 3]), (6, [0, 1, 2, 3])):
        rows = b"\0" + pixels[..., channels].astype(">u2").tobytes()
        (tmp_path / f"{kind}.png").write_bytes(png(8, 1, 16, kind, rows))
        for plane in decode(tmp_path / f"{kind}.png", (1, 8), 3):
            assert plane[0].tolist() == EIGHT


WIDE = {
    "int.tif": saved("TIFF", np.array([[0, 1000, 65535, 70000]], np.int32), "I"),
    "float.tif": saved("TIFF", np.array([[0, 0.25, 0.5, 1]], np.float32), "F"),
    "x.pfm": saved("PPM", np.array([[0, 0.25, 0.5, 1]], np.float32), "F"),
}


@pytest.mark.parametrize(
    ("name", "span"), [("int.tif", (0, 70000)), ("float.tif", (0, 1)), ("x.pfm", (0, 1))]
)
def test_wide_pixels_are_scaled_by_a_span_or_refused(tmp_path: Path, name: str, span) -> None:
    path = tmp_path / name
    path.write_bytes(WIDE[name])
    assert read_header(path).span == span
    found = decode(path, (1, 4), 1, span).ravel().tolist()
    assert found == ([0, 4, 239, 255] if name == "int.tif" else [0, 64, 128, 255])
    assert decode(path, (1, 4), 3, span)[2].ravel().tolist() == found
    with pytest.raises(ValueError, match="no file says which value of its pixels is white"):
        decode(path, (1, 4), 1)


def test_pixels_that_are_no_numbers(tmp_path: Path) -> None:
    values = np.array([[0, np.nan]], np.float32)
    (tmp_path / "x.tif").write_bytes(saved("TIFF", values, "F"))
    assert attempt(read_header, tmp_path / "x.tif") == Refusal("pixels that are no numbers")


# What is not opened


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        b"8BPS\0\1" + bytes(20),
        b"#define x_width 8\n#define x_height 8\nstatic char x_bits[] = {1,2,3,4,5,6,7,8};",
        bytes([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 8, 0, 24, 32]) + bytes(300),  # a TGA
    ],
    ids=["eps", "psd", "xbm", "tga"],
)
def test_formats_that_are_not_listed_are_not_opened(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    (tmp_path / "y").write_bytes(content)
    assert attempt(read_header, tmp_path / "x.png") == Refusal("unreadable")
    assert not is_picture(tmp_path / "y")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_large_pictures_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.png").write_bytes(png(60_000, 60_000, 1, 0, b""))  # Pillow's own limit
    (tmp_path / "big.png").write_bytes(png(12_000, 12_000, 1, 0, b""))
    for name in ("bomb", "big"):
        refused = attempt(read_header, tmp_path / f"{name}.png")
        assert refused == Refusal("over 100 million pixels")
    Image.fromarray(PIXELS).save(tmp_path / "x.bmp")
    monkeypatch.setattr(pictures, "_LARGEST_BYTES", 1 << 20)
    with (tmp_path / "x.bmp").open("ab") as file:
        file.truncate(2 << 20)
    assert attempt(read_header, tmp_path / "x.bmp") == Refusal("over 1 MiB")
    assert is_picture(tmp_path / "x.bmp")  # and is counted as one


def test_whatever_a_decoder_raises_is_a_reason(tmp_path: Path) -> None:
    errors = [RuntimeError("x"), KeyError(1), OSError("cut"), struct.error(), AssertionError()]
    errors += [MemoryError(), PermissionError(13, "no"), ZeroDivisionError(), RecursionError()]

    def raise_it(path: Path) -> None:
        raise errors[int(path.name)]

    found = attempt_all(raise_it, [Path(str(i)) for i in range(len(errors))], "raising")
    assert [refusal.reason for refusal in found] == [
        *["unreadable"] * 5,
        "too large for the memory",
        "permission is denied",
        *["unreadable"] * 2,
    ]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("suffix", ["avif", "jp2", "tga", "pfm"])
def test_broken_files_of_formats_of_their_own(tmp_path: Path, suffix: str) -> None:
    good = tmp_path / f"good.{suffix}"
    image = Image.fromarray(PIXELS.repeat(8, 0).repeat(8, 1))
    image.convert("F" if suffix == "pfm" else "RGB").save(good)
    content = good.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(content)
        start = int(random.integers(0, min(len(broken), 400)))
        broken[start : start + 4] = random.bytes(4)
        path = tmp_path / f"x.{suffix}"
        path.write_bytes(bytes(broken))
        header = attempt(read_header, path)
        assert isinstance(header, pictures.Header | Refusal)
        found = attempt(lambda file: decode(file, (8, 8), 3, (0, 255)), path)
        assert isinstance(found, np.ndarray | Refusal)
