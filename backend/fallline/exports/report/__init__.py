"""An experiment as one HTML page that needs no network and no server.

`findings` lists problems, `facts` makes tables of runs and edits, and `page` renders HTML.
"""
