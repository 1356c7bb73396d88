"""An experiment as one HTML page that needs no network and no server.

`facts` makes tables of runs and edits and lists findings, and `page` renders HTML.
"""
