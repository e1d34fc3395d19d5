"""Every hanzi gets one syllable, the right one, and espeak-ng reads none as English."""

import re
import subprocess

import pytest
from pypinyin.constants import PINYIN_DICT

from voice_prompts.errors import TextUnspeakable
from voice_prompts.normalise import normalise
from voice_prompts.prompts import catalogue_prompts, interface_prompts
from voice_prompts.pronounce import pinyin, romanised, syllables
from voice_prompts.voices import VOICES, utterance


@pytest.mark.parametrize(
    ("hanzi", "reading"),
    [
        ("还款", "huan2 kuan3"),
        ("还差点材料", "hai2 cha4 dian3 cai2 liao4"),
        ("很长", "hen3 chang2"),
        ("重新", "chong2 xin1"),
        ("原址重建", "yuan2 zhi3 chong2 jian4"),
        ("重病", "zhong4 bing4"),
        ("银行", "yin2 hang2"),
        ("来就行", "lai2 jiu4 xing2"),
        ("村长", "cun1 zhang3"),
        ("得分", "de2 fen1"),
        ("住得太远", "zhu4 de5 tai4 yuan3"),
        ("办好了", "ban4 hao3 le5"),
        ("您的", "nin2 de5"),
        ("换人种了", "huan4 ren2 zhong4 le5"),
        ("户口和参保", "hu4 kou3 he2 can1 bao3"),
        ("新生儿参保", "xin1 sheng1 er2 can1 bao3"),
        ("特困供养", "te4 kun4 gong1 yang3"),
        ("请看着镜头", "qing3 kan4 zhe5 jing4 tou2"),
        ("找活干吗", "zhao3 huo2 gan4 ma5"),
        ("有倒的危险吗", "you3 dao3 de5 wei1 xian3 ma5"),
        ("女儿", "nv3 er2"),
        ("不对", "bu2 dui4"),
        ("不好", "bu4 hao3"),
        ("对不对", "dui4 bu5 dui4"),
        ("一个", "yi2 ge4"),
        ("一次", "yi2 ci4"),
        ("一年", "yi4 nian2"),
        ("一起", "yi4 qi3"),
        ("看一看", "kan4 yi5 kan4"),
        ("一卡通", "yi4 ka3 tong1"),
        ("第一次", "di4 yi1 ci4"),
        ("一月一日", "yi1 yue4 yi1 ri4"),
        ("二十一天", "er4 shi2 yi1 tian1"),
        ("一九", "yi1 jiu3"),
        ("一点五", "yi1 dian3 wu3"),
        ("一级", "yi1 ji2"),
    ],
)
def test_reading_is_right(hanzi: str, reading: str) -> None:
    assert " ".join(syllables(hanzi)) == reading


def test_punctuation_stays_for_the_melody() -> None:
    assert pinyin("对吗？好，走。") == "dui4 ma5? hao3, zou3."


def test_surname_is_read_as_one_in_a_name_alone() -> None:
    assert pinyin("曾小明", is_free=True) == "zeng1 xiao3 ming2"


def test_surname_reading_is_not_used_in_sentences() -> None:
    assert pinyin("曾经来过这里", is_free=True).startswith("ceng2 jing1")


def test_name_is_romanised() -> None:
    assert romanised("吕小明") == "Lu xiaoming"


def test_hanzi_without_a_reading_is_an_error() -> None:
    with pytest.raises(TextUnspeakable):
        pinyin("三兙")


def test_hanzi_without_a_reading_is_left_out_of_free_text() -> None:
    assert pinyin("三兙米", is_free=True) == "san1 mi3"


def test_every_syllable_of_mandarin_is_known_to_the_engine() -> None:
    hanzi = "".join(chr(code) for code in range(0x4E00, 0xA000) if code in PINYIN_DICT)
    known = sorted({reading for sign in hanzi for reading in syllables(sign)})

    spoken = phonemes([f"{syllable}." for syllable in known])

    wrong = {
        syllable: dump
        for syllable, dump in zip(known, spoken, strict=True)
        if "(en)" in dump or len(dump.split()) != 1
    }
    assert len(known) > 1300
    assert wrong == {}


def chinese_texts(catalogue: object) -> list[str]:
    prompts = catalogue_prompts(catalogue) + interface_prompts()
    return sorted({prompt.text for prompt in prompts if prompt.language == "zh-CN"})


def phonemes(lines: list[str]) -> list[str]:
    """What espeak-ng makes of each line; a line of text gives a line of phonemes."""
    # A marker between the texts, since a text may give several lines.
    marked = "\n".join(f"{line}\n\nma1 ma1 ma1 ma1.\n" for line in lines)
    done = subprocess.run(
        ["espeak-ng", "-q", "-x", "-v", VOICES["zh-CN"].name],
        input=marked,
        capture_output=True,
        text=True,
        check=True,
    )
    marker = subprocess.run(
        ["espeak-ng", "-q", "-x", "-v", VOICES["zh-CN"].name, "ma1 ma1 ma1 ma1."],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return [part.strip() for part in done.stdout.split(marker)][:-1]


def test_no_prompt_is_read_as_english_and_no_syllable_is_lost(catalogue: object) -> None:
    texts = chinese_texts(catalogue)

    spoken = phonemes([utterance("zh-CN", text) for text in texts])

    assert len(texts) > 1000
    assert len(spoken) == len(texts)
    assert [text for text, dump in zip(texts, spoken, strict=True) if "(en)" in dump] == []
    lost = [
        text
        for text, dump in zip(texts, spoken, strict=True)
        if len(dump.split()) < len(re.findall(r"[一-鿿]", normalise("zh-CN", text)))
    ]
    assert lost == []


def test_the_broken_voice_would_be_noticed() -> None:
    done = subprocess.run(
        ["espeak-ng", "-q", "-x", "-v", "cmn", "你好"], capture_output=True, text=True, check=True
    )

    assert "(en)" in done.stdout
