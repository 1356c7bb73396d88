"""An experiment as one HTML page that needs no network and no server.

`findings` says what is wrong, `facts` makes tables of what was trained, `page` puts HTML around them.
"""
