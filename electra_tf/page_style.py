"""Style and script of the pages; both are part of each page."""

# Colours of runs; each pair is for light and dark pages. Neighbours differ in
# lightness, too.
_COLORS = (
    ("#2166c2", "#6aa9f7"),
    ("#c2500f", "#f29455"),
    ("#0b8068", "#45c9a9"),
    ("#8a3fb0", "#c893ea"),
    ("#a8820a", "#e0bf4a"),
    ("#c22b6b", "#f583ae"),
    ("#4f6b1f", "#a5cb62"),
    ("#5b6472", "#aab4c2"),
)
NUM_COLORS = len(_COLORS)


def _variables(theme: int) -> str:
    return "".join(
        f"--c{number}:{pair[theme]};" for number, pair in enumerate(_COLORS)
    )


_RULES = "\n".join(
    f".c{n}{{--c:var(--c{n})}} .hide{n} .curve.c{n}{{display:none}}"
    for n in range(NUM_COLORS)
)

STYLE = f"""
:root {{
  --page: #f6f7f9; --card: #fff; --ink: #1b2430; --soft: #5a6675;
  --line: #dde2e8; --mark: #fff3d6; --good: #14734f; --bad: #b3341f;
  --heat: 217, 84, 24; {_variables(0)}
}}
@media (prefers-color-scheme: dark) {{ :root {{
  --page: #12161c; --card: #1a2028; --ink: #e4e9f0; --soft: #9aa7b6;
  --line: #2d3642; --mark: #3d3317; --good: #58c79b; --bad: #f08a76;
  --heat: 240, 120, 50; {_variables(1)}
}} }}
{_RULES}
* {{ box-sizing: border-box; }}
body {{
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}}
main {{ max-width: 1180px; margin: 0 auto; padding: 28px 20px 48px; }}
h1 {{ font-size: 27px; line-height: 1.2; margin: 0 0 6px;
  overflow-wrap: anywhere; letter-spacing: -.01em; }}
h2 {{ font-size: 19px; margin: 40px 0 12px; letter-spacing: -.005em; }}
h3 {{ font-size: 14px; margin: 22px 0 8px; color: var(--soft);
  font-weight: 600; }}
p {{ margin: 6px 0; max-width: 78ch; }}
a {{ color: inherit; }}
code, .mono {{ font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas,
  "DejaVu Sans Mono", monospace; }}
.soft, .note {{ color: var(--soft); }}
.note {{ font-size: 13.5px; }}
.state {{ display: inline-block; padding: 1px 9px; border-radius: 99px;
  border: 1px solid currentColor; font-size: 13px; font-weight: 600;
  white-space: nowrap; }}
.good {{ color: var(--good); }} .bad {{ color: var(--bad); }}
.tiles {{ display: flex; flex-wrap: wrap; gap: 10px; margin: 22px 0 8px; }}
.tile, figure, .card {{ background: var(--card); border-radius: 8px;
  border: 1px solid var(--line); }}
.tile {{ padding: 10px 13px 11px; flex: 1 1 112px; max-width: 240px; }}
.tile b {{ display: block; font-size: 21px; line-height: 1.25;
  font-weight: 650; letter-spacing: -.02em; white-space: nowrap; }}
.tile span {{ display: block; font-size: 12.5px; line-height: 1.35;
  color: var(--soft); }}
.charts {{ display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(262px, 100%), 1fr)); }}
figure {{ margin: 0; padding: 11px 12px 6px; position: relative;
  min-width: 0; display: flex; flex-direction: column; gap: 6px; }}
figcaption {{ display: flex; flex-wrap: wrap; gap: 0 10px; flex: 1;
  align-content: start; }}
figcaption b {{ font-size: 14px; overflow-wrap: anywhere; }}
figcaption span {{ margin-left: auto; font-size: 13px;
  font-variant-numeric: tabular-nums; }}
figcaption p {{ font-size: 12.5px; line-height: 1.35; margin: 1px 0 0;
  color: var(--soft); flex-basis: 100%; }}
svg {{ display: block; width: 100%; height: auto; overflow: visible;
  touch-action: pan-y; }}
svg text {{ fill: var(--soft); font-size: 10.5px;
  font-variant-numeric: tabular-nums; }}
svg .y {{ text-anchor: end; }} svg .x {{ text-anchor: middle; }}
.grid {{ stroke: var(--line); stroke-width: 1; }}
.curve path {{ fill: none; stroke: var(--c); stroke-width: 1.7;
  stroke-linejoin: round; }}
.curve circle {{ fill: var(--c); }}
.dashed path {{ stroke-dasharray: 4 3; }}
.dashed circle {{ fill: var(--card); stroke: var(--c); stroke-width: 1.5; }}
.cursor {{ stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 2; }}
.tip {{ position: absolute; pointer-events: none; z-index: 2; padding: 5px 9px;
  background: var(--ink); color: var(--page); border-radius: 6px;
  font-size: 12px; line-height: 1.4; white-space: pre; top: 34px;
  font-variant-numeric: tabular-nums; }}
.legend {{ display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 4px 0 12px;
  font-size: 13.5px; color: var(--soft); align-items: center; }}
.swatch {{ display: inline-block; width: 30px; height: 10px;
  vertical-align: 0; margin-right: 6px; }}
.legend label {{ cursor: pointer; color: var(--ink); overflow-wrap: anywhere; }}
.legend input {{ display: none; }}
.js .legend input {{ display: inline; margin: 0 5px 0 0; }}
.scroll {{ overflow-x: auto; background: var(--card); border-radius: 8px;
  border: 1px solid var(--line); margin: 8px 0; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th, td {{ padding: 6px 14px; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }}
tbody tr:last-child > * {{ border-bottom: 0; }}
thead th {{ font-size: 12.5px; font-weight: 600; color: var(--soft);
  vertical-align: bottom; }}
tbody th {{ font-weight: 500; white-space: nowrap; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }}
mark {{ background: var(--mark); color: inherit; border-radius: 3px;
  padding: 0 4px; }}
dl {{ display: grid; grid-template-columns: max-content minmax(0, 1fr);
  gap: 3px 20px; margin: 8px 0; font-size: 14px; }}
dt {{ color: var(--soft); }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
details {{ margin: 8px 0; }}
summary {{ cursor: pointer; font-weight: 500; }}
.card {{ padding: 12px 16px; margin: 10px 0; min-width: 0; }}
.cards {{ display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); }}
.cards .card {{ margin: 0; }}
.bars {{ display: grid; grid-template-columns: max-content 1fr max-content;
  gap: 2px 10px; font-size: 13px; align-items: center; max-width: 560px;
  margin: 6px 0; font-variant-numeric: tabular-nums; }}
.bars i {{ display: block; height: 11px; min-width: 1px; background: var(--c0);
  border-radius: 0 3px 3px 0; }}
.text {{ font-size: 15px; line-height: 2.05; overflow-wrap: anywhere; }}
.text h3 {{ margin: 0 0 2px; line-height: 1.4; }}
.token {{ padding: 2px 1px; border-radius: 3px; cursor: default; }}
.glued {{ padding-left: 0; margin-left: -1px; }}
.special {{ color: var(--soft); font-size: 12px; }}
.masked {{ border-bottom: 2px dotted var(--soft); border-radius: 3px 3px 0 0; }}
.replaced {{ border-bottom: 2px solid var(--ink); border-radius: 3px 3px 0 0; }}
.token del {{ opacity: .72; text-decoration: none; }}
.token sup {{ color: var(--ink); font-weight: 700; font-size: 12px;
  line-height: 1; margin-left: 1px; }}
.heat {{ display: inline-block; width: 130px; height: 11px; border-radius: 3px;
  background: linear-gradient(90deg, rgba(var(--heat), 0),
  rgba(var(--heat), .75)); border: 1px solid var(--line); margin: 0 6px; }}
footer {{ margin-top: 44px; font-size: 13px; color: var(--soft); }}
@media (max-width: 560px) {{
  main {{ padding: 18px 12px 36px; }}
  svg text {{ font-size: 8.5px; }}
  th, td {{ padding: 5px 8px; }}
  table {{ font-size: 13px; }}
  tbody th {{ white-space: normal; overflow-wrap: anywhere; min-width: 90px; }}
  dl {{ grid-template-columns: minmax(0, 1fr); gap: 0; }}
  dd {{ margin-bottom: 7px; }}
}}
@media print {{ .tip, .cursor {{ display: none; }} }}
"""

# The read-out of the point nearest to the pointer, and switches of curves.
SCRIPT = """
document.documentElement.classList.add("js");
for (const svg of document.querySelectorAll("svg[data-series]")) {
  const series = JSON.parse(svg.dataset.series);
  const width = svg.viewBox.baseVal.width;
  const height = svg.viewBox.baseVal.height;
  const tip = document.createElement("div");
  tip.className = "tip";
  const cursor = document.createElementNS(svg.namespaceURI, "path");
  cursor.setAttribute("class", "cursor");
  const clear = () => { tip.remove(); cursor.remove(); };
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * width;
    const nearest = points => points.reduce((best, point) =>
      Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);
    const shown = series.filter(each =>
      !document.body.classList.contains("hide" + each.color));
    if (!shown.length) return clear();
    const points = shown.map(each => nearest(each.points));
    const center = nearest(points);
    const lines = shown.map((each, i) => {
      const at = points[i][1] === center[1] ? "" : " (step " +
        points[i][1].toLocaleString("en") + ")";
      return each.name + "  " + points[i][2] + at;
    });
    tip.textContent = "step " + center[1].toLocaleString("en") + "\\n" +
      lines.join("\\n");
    cursor.setAttribute("d", "M" + center[0] + " 8V" + (height - 22));
    svg.append(cursor);
    svg.parentElement.append(tip);
    const left = center[0] / width * box.width + 22;
    const room = svg.parentElement.clientWidth - tip.offsetWidth - 4;
    tip.style.left = (left < room ? left : Math.max(4, left -
      tip.offsetWidth - 24)) + "px";
  });
  svg.addEventListener("pointerleave", clear);
}
for (const box of document.querySelectorAll(".legend input")) {
  box.addEventListener("change", () =>
    document.body.classList.toggle("hide" + box.value, !box.checked));
}
"""
