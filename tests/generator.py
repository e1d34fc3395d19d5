"""Realistic made-up transactions of every service, decided by a seed; nobody in them exists."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random

from sync.clock import SeededEntropy
from sync.evaluation import problem_of, relevant_questions
from sync.forms import ATTACHMENT_TYPES, Catalogue, Question, Service, decode_catalogue
from sync.identity import id_check_digit, passes_luhn
from sync.ids import case_number, uuid7
from sync.records import Attachment, Transaction

TODAY = dt.date(2026, 11, 24)

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许"
    "傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
)
_RARE_SURNAMES = (
    "欧阳",
    "司马",
    "普",
    "者",
    "刀",
    "召",
    "虎",
    "褚",
    "蹇",
    "昝",
    "佴",
    "禄",
    "纳",
    "海",
)
_GIVEN = (
    "国明华英秀兰芳丽强军玉桂珍红建平文梅春金云志小永德海祥福贵生林发财荣富光辉成龙波伟勇杰涛超磊鹏飞斌浩宇轩"
    "子涵欣怡佳雨婷雪静敏燕霞琼仙香莲凤翠琴娟娥菊花美艳慧萍玲素淑惠珠莉晓学才义忠良宝庆顺安绍家启应体存朝廷"
    "焕炳钧锦绣彩虹纪元亮廷弼汝昌毓懋尧舜禹祖荫培植栋梁润泽沛霖翰墨笙簧琰瑾瑜璇"
)
_RARE = "堃喆赟翀骉犇淼焱垚彧旻昇炘玥珺琇䶮㛃㭎𬍡𬱖𫖯𠅤𡋾"
_MINORITY = (
    ("阿卜杜拉", "买买提"), ("古丽娜尔", "艾尼瓦尔"), ("扎西", "次仁"), ("玉罕", "娜"),
    ("岩温", "扁"), ("吉克", "阿衣"), ("沙玛", "拉且"), ("木呷", "尔古"), ("约尔杜斯", "热合曼"),
)  # fmt: skip
_REGIONS = (
    "530121",
    "530124",
    "530128",
    "530322",
    "532524",
    "533421",
    "520203",
    "513427",
    "110105",
)
_PLACES = (
    "水井边",
    "老学校旁",
    "大榕树下",
    "村委会后面",
    "卫生室对面",
    "桥头",
    "上寨",
    "下寨",
    "河对岸",
    "烤房旁边",
)
_CITIES = (
    "昆明",
    "深圳市龙华区",
    "东莞",
    "玉溪市红塔区",
    "缅甸曼德勒",
    "浙江义乌",
    "成都",
    "大理州祥云县",
)
_RECEIVERS = (
    "第一人民医院", "县中医院", "育才中学", "镇中心小学", "工商银行昆明分行",
    "云天化有限公司", "交警大队", "职业技术学院", "中心敬老院",
)  # fmt: skip
_PROBLEMS = (
    "{place}的路灯坏了{months}个月，晚上走路看不见，摔过两个人",
    "{place}的水沟堵了，一下雨水就往家里灌",
    "自来水三天两头停，水龙头放出来都是黄的",
    "垃圾桶满了没人拉，夏天臭得很，苍蝇到处飞",
    "去年登记的种地补贴到现在没有到账，问了{months}次都说等",
    "{place}那段路塌方，三轮车过不去，烟叶拉不出来",
    "邻居盖房子占了公家的路，说了也不听",
    "窗口的小姑娘态度好，教我用手机，谢谢她",
    "公示栏上没有写清楚哪家得了多少，请公开",
    "我家{crop}被野猪拱了{number}亩，没有人来看",
)
_WISHES = ("", "，请尽快派人来看看", "，希望早点修好", "，麻烦村里帮忙解决", "。拜托了！")
_STORIES = (
    "老伴去年中风住院花了{number}万多，儿子在外打工一年没寄钱回来",
    "我一个人带两个孙子，眼睛看不清，地也种不动了",
    "{crop}遭了冰雹，{number}亩全部绝收，欠着化肥钱",
    "媳妇刚查出来要做手术，家里能借的都借了",
    "房子是土墙，后墙裂了手掌宽的缝，雨天不敢睡",
    "摔断了腿，在床上躺了{months}个月，没有人照看",
)
_CROPS = ("包谷", "水稻", "烤烟", "洋芋", "核桃", "花椒", "三七")
_INTEGERS: Mapping[str, tuple[int, int]] = {
    "insured_count": (1, 6), "grade": (1, 4), "household_size": (1, 7), "floors": (1, 3),
    "built_year": (1962, 2005), "people_hurt": (0, 2), "houses": (0, 12),
}  # fmt: skip
_AMOUNTS: Mapping[str, tuple[float, float, int]] = {
    "monthly_income": (0, 2800, 0), "area_mu": (0.4, 18, 1), "plot_area": (80, 150, 0),
    "machine_price": (1500, 86000, 2),
}  # fmt: skip
_AGES: Mapping[str, tuple[int, int]] = {"senior_allowance": (80, 97), "pension_auth": (60, 95)}
_MOBILE_NETS = ("38", "39", "59", "87", "88", "50", "77", "98")
_BANKS = ("622202", "621799", "623190", "621226")
_TRIES = 60


_SHIPPED = Path(__file__).resolve().parents[1] / "server" / "catalogue"


@lru_cache(maxsize=1)
def shipped_catalogue() -> Catalogue:
    """The catalogue that the centre ships."""
    return decode_catalogue((_SHIPPED / "catalogue.json").read_bytes())


@lru_cache(maxsize=1)
def shipped_villages() -> tuple[str, ...]:
    """The codes of the made-up villages that the centre ships."""
    rows = (_SHIPPED / "villages.csv").read_text("utf-8").splitlines()[1:]
    return tuple(row.split(",", 1)[0] for row in rows)


def transactions(
    catalogue: Catalogue,
    seed: int,
    *,
    today: dt.date = TODAY,
    villages: Sequence[str] = (),
    service: str = "",
) -> Iterator[tuple[Transaction, tuple[Attachment, ...]]]:
    """Make transactions without end, each of which could be confirmed on a kiosk.

    Args:
        catalogue: Whose services are taken in turn, so that every one comes.
        seed: The same seed makes the same transactions.
        today: The day of the visits.
        villages: Codes to draw from; none = the shipped ones.
        service: Only this one; "" = all.
    """
    person = _Person(Random(seed), today, villages or shipped_villages())
    entropy = SeededEntropy(seed)
    started_ms = (
        int(dt.datetime(today.year, today.month, today.day, tzinfo=dt.UTC).timestamp()) * 1000
    )
    number = 0
    while True:
        for item in catalogue.services:
            if service in ("", item.id):
                number += 1
                yield _one(catalogue, item, person, uuid7(started_ms + 90_000 * number, entropy))


def _one(
    catalogue: Catalogue, service: Service, person: "_Person", transaction_id: bytes
) -> tuple[Transaction, tuple[Attachment, ...]]:
    person.arrive(service)
    answers: dict[str, str] = {}
    for question in service.questions:
        if question.relevant and question not in relevant_questions(
            catalogue, service, answers, person.today
        ):
            continue
        # A rating or report is short; who is asked what they need not say often does not.
        if question.required or person.random.random() < 0.5:
            answers[question.id] = _answer(catalogue, service, question, answers, person)
    is_assisted = answers.get("applicant_kind") == "helper"
    is_correction = service.case_kind == "application" and person.random.random() < 0.04
    transaction = Transaction(
        id=transaction_id,
        service=service.id,
        language="zh-CN" if person.random.random() < 0.85 else "en",
        answers=answers,
        corrects=person.case_no() if is_correction else "",
        helper=f"h{person.random.randrange(1, 30):02d}" if is_assisted else "",
    )
    return transaction, tuple(_attachments(service, answers, person.random))


def _answer(
    catalogue: Catalogue,
    service: Service,
    question: Question,
    answers: Mapping[str, str],
    person: "_Person",
) -> str:
    for _ in range(_TRIES):
        value = person.answer(catalogue, service, question)
        if problem_of(catalogue, service, question, value, answers, person.today) is None:
            return value
    raise ValueError(f"no answer found for {service.id}.{question.id}")


class _Person:
    """Whoever stands at the kiosk: draws what they would say."""

    def __init__(self, random: Random, today: dt.date, villages: Sequence[str]) -> None:
        self.random = random
        self.today = today
        self._villages = villages
        self._ages = (18, 78)
        self._kinds: Mapping[str, Callable[[Question], str]] = {
            "id_number": lambda _: self.id_number(),
            "name": self._named,
            "phone": lambda _: self.phone(),
            "bank_card": lambda _: self.bank_card(),
            "case_no": lambda _: self.case_no(),
            "digits4": lambda _: f"{self.random.randrange(10_000):04d}",
            "date": self._date,
            "amount": self._amount,
            "integer": self._integer,
            "photo": lambda _: self.random.choices("123", (85, 10, 5))[0],
            "signature": lambda _: "1",
            "voice_note": self._note,
            "text_note": lambda _: self.address(),
            "village": lambda _: self.random.choice(self._villages),
            "consent": lambda _: "OK",
        }

    def arrive(self, service: Service) -> None:
        """Be the next one, of an age that fits the service."""
        self._ages = _AGES.get(service.id, (18, 78))

    def answer(self, catalogue: Catalogue, service: Service, question: Question) -> str:
        """Say something that fits the type; the form's constraint may still not like it."""
        names = [choice.name for choice in catalogue.choices(service, question)]
        if question.type == "multi_choice":
            # Whoever has none says "none" and nothing beside it.
            if "none" in names and self.random.random() < 0.5:
                return "none"
            names = [name for name in names if name != "none"]
            count = min(len(names), self.random.choices((1, 2, 3), (60, 30, 10))[0])
            return " ".join(sorted(self.random.sample(names, count), key=names.index))
        if question.id == "applicant_kind":
            return self.random.choices(names, (65, 25, 10))[0]
        if question.type in ("choice", "yes_no"):
            return self.random.choice(names)
        return self._kinds[question.type](question)

    def name(self) -> str:
        """Make a name: one in ten of a minority or with a character that few fonts have."""
        kind = self.random.random()
        if kind < 0.05:
            return "·".join(self.random.choice(_MINORITY))
        surname = self.random.choice(_SURNAMES if kind < 0.9 else _RARE_SURNAMES)
        given = self.random.sample(_GIVEN, self.random.choices((1, 2), (20, 80))[0])
        if kind > 0.95:
            given[-1] = self.random.choice(_RARE)
        return surname + "".join(given)

    def id_number(self) -> str:
        """Make an ID number with a right check digit."""
        days = self.random.randrange(*(365 * age + 40 for age in self._ages))
        born = self.today - dt.timedelta(days=days)
        stem = f"{self.random.choice(_REGIONS)}{born:%Y%m%d}{self.random.randrange(1, 1000):03d}"
        return stem + id_check_digit(stem)

    def phone(self) -> str:
        """Make a mobile number; one in twenty-five is a landline."""
        if self.random.random() < 0.04:
            return f"0871-6{self._digits(7)}"
        return f"1{self.random.choice(_MOBILE_NETS)}{self._digits(8)}"

    def bank_card(self) -> str:
        """Make a card of 19 digits that passes Luhn; one in twelve is an old passbook."""
        if self.random.random() < 0.08:
            return self._digits(15)
        stem = self.random.choice(_BANKS) + self._digits(12)
        return next(stem + digit for digit in "0123456789" if passes_luhn(stem + digit))

    def case_no(self) -> str:
        """Make a case number."""
        return case_number(self.random.randrange(1, 400), self.random.randrange(1, 9000))

    def address(self) -> str:
        """Make the way to a house."""
        group, house = self.random.randrange(1, 12), self.random.randrange(1, 9)
        return f"{group}组{self.random.choice(_PLACES)}第{house}家"

    def _digits(self, count: int) -> str:
        return f"{self.random.randrange(10**count):0{count}d}"

    def _named(self, question: Question) -> str:
        match question.id:
            case "other_city":
                return self.random.choice(_CITIES)
            case "to_whom":
                return self.random.choice(_RECEIVERS)
            case "factory_number":
                letters = "".join(self.random.choices("ABDFHKLMNTWXYZ", k=2))
                return f"{letters}{self._digits(4)}-{self._digits(6)}"
            case "birth_cert_no":
                return f"{self.random.choice('QRSTUV')}53{self._digits(7)}"
            case _:
                return self.name()

    def _date(self, question: Question) -> str:
        if question.id == "wanted_on":
            return (self.today + dt.timedelta(days=self.random.randrange(31))).isoformat()
        return (self.today - dt.timedelta(days=self.random.randrange(200))).isoformat()

    def _amount(self, question: Question) -> str:
        low, high, decimals = _AMOUNTS.get(question.id, (0, 1000, 2))
        return f"{self.random.uniform(low, high):.{decimals}f}"

    def _integer(self, question: Question) -> str:
        return str(self.random.randint(*_INTEGERS.get(question.id, (0, 20))))

    def _note(self, question: Question) -> str:
        if self.random.random() < 0.6:
            return "1"
        templates = _STORIES if question.id == "story" else _PROBLEMS
        text = self.random.choice(templates) + self.random.choice(_WISHES)
        return "=" + text.format(
            place=self.random.choice(_PLACES),
            crop=self.random.choice(_CROPS),
            months=self.random.randrange(2, 9),
            number=self.random.randrange(2, 9),
        )


def _attachments(
    service: Service, answers: Mapping[str, str], random: Random
) -> Iterator[Attachment]:
    index = 0
    for question in service.questions:
        value = answers.get(question.id, "")
        if question.type not in ATTACHMENT_TYPES or not value.isdecimal():
            continue
        for _ in range(int(value)):
            yield _attachment(question, index, random)
            index += 1


def _attachment(question: Question, index: int, random: Random) -> Attachment:
    filling = random.randbytes(random.randrange(200, 1500))
    match question.type:
        case "signature":
            points = " ".join(f"{random.randrange(300)},{random.randrange(90)}" for _ in range(24))
            drawn = f'<svg xmlns="http://www.w3.org/2000/svg"><polyline points="{points}"/></svg>'
            return Attachment(question.id, index, "image/svg+xml", drawn.encode())
        case "voice_note":
            return Attachment(question.id, index, "audio/webm", b"\x1a\x45\xdf\xa3" + filling)
        case _:
            return Attachment(
                question.id, index, "image/jpeg", b"\xff\xd8\xff\xe0" + filling + b"\xff\xd9"
            )
