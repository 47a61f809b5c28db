"""What everybody tries first, and what anybody would try here.

Put together by hand for this project: the words that lead the published lists of leaked passwords (the first hundreds
of the NCSC's and of NordPass's yearly lists agree on them), names, years' seasons and words of Japan's own lists, the
rows of a keyboard, and the words of this house. Passwords are long (`SHORTEST`), so that it is the words inside the
lists that matter, not the lists: `password1234` and `Sakura!Sakura` are caught by their word.
"""

from __future__ import annotations

from itertools import chain

_WORLD = """
password passw passwd passphrase secret letmein welcome admin administrator root login logon master access default
changeme change example testing test guest user username account manager system server database internet computer
monkey dragon football baseball basketball soccer hockey superman batman spiderman pokemon starwars matrix trustno
iloveyou loveyou loveme love sunshine princess shadow michael michelle jennifer jessica ashley daniel thomas robert
jordan george charlie andrew matthew joshua nicole amanda summer winter spring autumn monday friday january december
freedom whatever flower cheese cookie chocolate banana orange purple silver golden diamond hunter killer ranger
mustang corvette ferrari porsche mercedes harley yamaha toyota honda nissan google facebook linkedin twitter samsung
apple iphone android windows microsoft qazwsx zaqxsw abcabc abcd asdf qwer zxcv azerty letme hello please forever
family mother father sister brother angel heaven jesus blessed friend friends lucky happy smile peace star
"""
_JAPAN = """
sakura hanako taro tarou takashi hiroshi kenji yuki haruka aiko ichiro suzuki sato satou tanaka watanabe yamada
yamamoto nakamura kobayashi tokyo osaka kyoto nagoya sapporo fukuoka yokohama nippon nihon japan japanese doraemon
pikachu totoro naruto gundam hello kitty kawaii arigato arigatou konnichiwa ohayo sayonara aishiteru daisuki nihongo
samurai ninja sushi himitsu pasuwado pasuwaado anshin kaisha
パスワード ぱすわーど さくら サクラ 桜 秘密 ひみつ ありがとう こんにちは
"""
_HOUSE = """
orikaeshi callback callcenter callcentre contact center centre asterisk wallboard supervisor operator agent desk
queue support helpdesk telephone phone console controller
折り返し 折返し おりかえし コールセンター オペレーター 電話 管理者
"""
COMMON = tuple(dict.fromkeys(chain(_WORLD.split(), _JAPAN.split(), _HOUSE.split())))
"""Words, in small letters."""

_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890-^")
_COLUMNS = ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol", "qazwsxedcrfvtgbyhnujm")
_ZIGZAGS = ("1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0")
_SHIFTED = ("!@#$%^&*()", '!"#$%&')
_EQUAL = tuple(sign * 128 for sign in "0123456789abcdefghijklmnopqrstuvwxyz!*.-_ ")
WALKS = tuple(chain.from_iterable((each, each[::-1]) for each in (*_ROWS, *_COLUMNS, *_ZIGZAGS, *_SHIFTED))) + _EQUAL
"""Where fingers run along without a thought."""
