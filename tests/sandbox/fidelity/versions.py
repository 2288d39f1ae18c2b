RENAMED_PARAMETERS = {}
RENAMED_VALUES = {"[plan]": "[price]"}
