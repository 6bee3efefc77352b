"""Web pages about a class's results: one report for the instructor, one feedback page for each student.

`analysis` counts, `charts` draws (Vega-Altair, as inline SVG), `pages` writes
HTML. Every text that a student may have had a hand in goes through auto-escaping templates; the pages load nothing
and run one script of ours, whose hash their content security policy names.
"""
