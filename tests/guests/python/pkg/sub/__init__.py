from ..helper import shout

word = shout("sub")
