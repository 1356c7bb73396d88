"""Parser of uploaded tables: the bytes of a CSV become named columns.

`records` decodes and splits, `columns` parses fields and classifies a column, and `table` combines them.
`engine.data.datasets.own` turns a table into samples.
"""
