"""An experiment as one HTML page that needs no network and no server: figures, race, findings, recipe.

`findings` says what is wrong, `facts` makes tables of what was trained, `page` puts HTML around them.
"""
