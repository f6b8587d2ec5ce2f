"""Several data sets as one."""

import numpy as np
import pytest

from mtgan.data import load_dataset, prepare_dataset
from mtgan.data.domains.parts import one_domain, own_labels
from mtgan.data.sources.joined import is_domains, parse_domains
from mtgan.errors import UserError
from toys import real_strings


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("".join(f"{a}{b}\n" for a in "abcde" for b in "xyzwv"))
    return path


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.npz"
    random = np.random.default_rng(0)
    np.savez(
        path,
        images=random.integers(0, 256, (20, 9, 8, 1), dtype=np.uint8),
        labels=np.arange(20) % 2,
        level_names=np.array(["fine"]),
        class_names_fine=np.array(["dark", "bright"]),
    )
    return path


def test_samples_labels_and_taxonomy_of_two_domains(words, images):
    data = load_dataset(f"image={images}+text={words}", "all")
    assert data.shape == (1, 9, 11)  # 9 rows of pixels; 10 letters and the padding
    assert len(data) == 45
    assert data.taxonomy.classes == {
        "class": ("dark", "bright", "text"),
        "domain": ("image", "text"),
    }
    assert data.taxonomy.parents == {"class": ("domain", (0, 0, 1))}
    np.testing.assert_array_equal(data.labels[:2], [[0, 0], [1, 0]])
    assert (data.labels[20:] == [2, 1]).all()
    image, text = data.domains
    pixels = np.load(images)["images"].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(image.decode(data.samples[:20]), pixels)
    assert text.decode(data.samples[20:]) == words.read_text().split()


def test_the_spec_gives_the_same_set_again_from_any_folder(words, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = load_dataset("image=images.npz,placement=resize+text=words.txt,length=2")
    monkeypatch.chdir("/")
    again = load_dataset(**data.spec)
    assert again.fingerprint == data.fingerprint
    assert again.domains == data.domains
    assert len(data.load_split("test")) == 4 + 5


def test_other_descriptions_of_the_same_samples_have_another_fingerprint(tmp_path):
    for name, text in (("a.txt", "ab\nba\n"), ("b.txt", "xy\nyx\n")):
        (tmp_path / name).write_text(text)
    first, second = (load_dataset(f"t={tmp_path}/{n}.txt", "all") for n in "ab")
    np.testing.assert_array_equal(first.samples, second.samples)
    assert first.fingerprint != second.fingerprint


def test_a_subset_keeps_its_domains(words, images):
    data = load_dataset(f"image={images}+text={words}", "all", subset=9)
    assert len(data) == 9
    assert np.bincount(data.labels_of("domain")).tolist() == [4, 5]
    assert len(data.domains) == 2


def test_a_prepared_folder_keeps_its_domains(words, images, tmp_path):
    name = f"image={images}+text={words}"
    prepared = load_dataset(prepare_dataset(name, tmp_path / "prepared"))
    assert prepared.domains == load_dataset(name).domains
    assert prepared.fingerprint == load_dataset(name).fingerprint


def test_names_of_domains_and_clashes_of_classes(words, images):
    assert [spec.name for spec in parse_domains("fashion-mnist-10k+nci-smiles,length=20")] == [
        "image",
        "smiles",
    ]
    assert parse_domains("nci-smiles,length=20")[0].options == {"length": 20}
    data = load_dataset(f"a={images}+b={images}+text={words}", "all")
    assert data.taxonomy.classes["class"] == (
        "a/dark",
        "a/bright",
        "b/dark",
        "b/bright",
        "text",
    )
    with pytest.raises(UserError, match="are called 'image'"):
        load_dataset(f"{images}+{images}")


def test_a_yaml_file_of_domains(words, images, tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text(f"domains: {{pixels: {{data: {images}}}, text: {{data: {words}, length: 2}}}}")
    data = load_dataset(path, "all")
    assert data.taxonomy.classes["domain"] == ("pixels", "text")
    assert load_dataset(**data.spec).fingerprint == data.fingerprint
    path.write_text("domains: 3")
    with pytest.raises(UserError, match="should hold domains"):
        load_dataset(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t=WORDS,lenght=3", "no key 'lenght': did you mean 'length'"),
        ("i=IMAGES,length=3", "no key 'length'"),
        ("i=IMAGES,placement=left", "placement should be pad or resize"),
        ("t=WORDS,length", "should be KEY=VALUE"),
        ("t=WORDS+", "names no data set"),
        ("t=WORDS,length=1+i=IMAGES", "'t' is empty: of 25 strings none"),
        ("t=WORDS,alphabet=abxy,strict=true", "outside the alphabet"),
        ("t=none+i=IMAGES", "no data set 'none'"),
        ("t=WORDS,tokens=words", "no kind of tokens 'words'"),
    ],
)
def test_mistakes_are_told(name, message, words, images):
    with pytest.raises(UserError, match=message):
        load_dataset(name.replace("WORDS", str(words)).replace("IMAGES", str(images)))


def test_the_size_is_that_of_the_canvas_and_its_channels_stay(words):
    usual = load_dataset(f"t={words}")
    large = load_dataset(f"t={words}", size=64)
    assert large.shape == (1, 64, 64)
    _, length, channels = usual.shape
    assert np.array_equal(large.samples[:, :, :length, :channels], usual.samples)
    domain = usual.domains[0]
    assert list(domain.decode(large.samples)) == list(domain.decode(usual.samples))
    with pytest.raises(UserError, match="give channels to the image's own domain"):
        load_dataset(f"t={words}", channels=3)


def test_what_is_a_name_of_domains(words, tmp_path):
    for name in ("a+b", "x=a", "a.txt", "a.yaml", "nci-smiles,length=3"):
        assert is_domains(name)
    (tmp_path / "a+b").mkdir()
    for name in ("fashion-mnist-10k", "folder/x", str(tmp_path / "a+b")):
        assert not is_domains(name)


def test_the_strings_of_a_set(words, images):
    assert sorted(real_strings(str(words), "train") + real_strings(str(words), "test")) == sorted(
        words.read_text().split()
    )
    with pytest.raises(UserError, match="no data set of strings"):
        real_strings(f"i={images}", "train")


def test_one_domain_comes_back_as_a_set_of_its_own(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("ab\nba\n")
    images = np.arange(3 * 9 * 8, dtype=np.uint8).reshape(3, 9, 8, 1)
    np.savez(tmp_path / "x.npz", images=images, labels=np.array([1, 0, 1]))
    data = load_dataset(f"text={words}+image={tmp_path}/x.npz", "all")
    assert sorted(one_domain(data, "text").samples) == ["ab", "ba"]
    own = one_domain(data, "image")
    assert np.array_equal(own.samples, images.transpose(0, 3, 1, 2))
    assert own.labels.tolist() == [[1], [0], [1]]
    rows = np.array([[-1, 1], [2, 1], [1, 1]])
    assert own_labels(rows, data.taxonomy, "image").tolist() == [[-1], [1], [0]]
    with pytest.raises(UserError, match="no domain 'txt': did you mean 'text'"):
        one_domain(data, "txt")


def test_sets_of_images_among_domains(words, images):
    data = load_dataset(f"text={words}+a={images}+b={images}", "all")
    assert [one_domain(data, name).dataset().shape for name in "ab"] == [(1, 9, 8)] * 2
    # The same pictures are the same set beside whatever they lay, so one classifier judges both.
    alone, beside = (load_dataset(f"{x}a={images}", "all") for x in ("", f"text={words}+"))
    assert len({one_domain(data, "a").dataset().fingerprint for data in (alone, beside)}) == 1
