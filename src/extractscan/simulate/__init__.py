"""Labelled logs of the project's own text, for samples, tests and detection limits.

``Settings`` says what a log shall be, ``plan.accounts`` which accounts it has, ``write.tables`` gives their requests and
``write.labels`` their labels; ``write.write_log`` does all of it into a folder. An account is the same alone
(``write.account_table``) and in any log of the same settings.
"""
