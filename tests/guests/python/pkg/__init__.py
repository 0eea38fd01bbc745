from .sub import word

WORD = word
