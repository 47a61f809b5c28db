"""The words of the pages on which people sign in and choose their password."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "sign_in_title": {"ja": "ログイン", "en": "Sign in"},
    "login_name": {"ja": "ログイン名", "en": "Login name"},
    "password_word": {"ja": "パスワード", "en": "Password"},
    "sign_in_button": {"ja": "ログインする", "en": "Sign in"},
    # One text for whatever was wrong: it tells nobody who works here.
    "not_signed_in": {
        "ja": "ログインできませんでした。ログイン名とパスワードをご確認ください。続けて間違えると、しばらくの間"
        "ログインできなくなります。お困りの場合は管理者にご連絡ください。",
        "en": "You could not be signed in. Please check name and password. After several wrong ones you have to wait "
        "for a while. Your administrator can help.",
    },
    "signed_out_done": {"ja": "ログアウトしました。", "en": "You are signed out."},
    "password_title": {"ja": "パスワードの変更", "en": "Change your password"},
    "must_change": {
        "ja": "お使いになる前に、ご自身のパスワードを設定してください。",
        "en": "Before you begin, please choose a password of your own.",
    },
    "password_rules": {
        "ja": "12文字以上128文字まで。文字の種類に決まりはありません。長い文章のようなパスワードをおすすめします。",
        "en": "12 to 128 characters of any kind. A few words in a row are easy to remember and hard to guess.",
    },
    "password_ends": {
        "ja": "変更すると、ほかの端末やブラウザーからはログアウトされます。",
        "en": "All your other browsers are signed out.",
    },
    "old_password": {"ja": "現在のパスワード", "en": "Present password"},
    "new_password": {"ja": "新しいパスワード", "en": "New password"},
    "new_again": {"ja": "新しいパスワード(確認)", "en": "New password again"},
    "password_button": {"ja": "変更する", "en": "Change it"},
    "password_changed": {"ja": "パスワードを変更しました。", "en": "Your password is changed."},
    "go_on": {"ja": "画面へ進む", "en": "Go on"},
    # What is wrong with what was typed
    "mistake_old": {
        "ja": "現在のパスワードを確認できませんでした。続けて間違えると、しばらくの間お使いになれません。",
        "en": "The present password could not be confirmed. After several wrong ones you have to wait for a while.",
    },
    "mistake_again": {
        "ja": "新しいパスワードと確認用の入力が一致しません。",
        "en": "The two new passwords are not the same.",
    },
    "mistake_short": {"ja": "12文字以上のパスワードにしてください。", "en": "Please use 12 characters or more."},
    "mistake_long": {"ja": "128文字以内のパスワードにしてください。", "en": "Please use 128 characters at most."},
    "mistake_own_name": {
        "ja": "お名前やログイン名に近いパスワードは、推測されやすいためお使いになれません。",
        "en": "It is too close to your name: anybody would try that.",
    },
    "mistake_common": {
        "ja": "よく使われる言葉や文字の並びのパスワードは、推測されやすいためお使いになれません。",
        "en": "It is made of what everybody tries first. Please choose another.",
    },
    "mistake_same": {
        "ja": "現在とは別のパスワードにしてください。",
        "en": "Please choose another one than the present.",
    },
}
