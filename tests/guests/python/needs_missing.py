import a_module_that_is_not_there


def handler(value):
    return a_module_that_is_not_there
