"""How a report looks: one style sheet, light or dark as the reader's system is, readable on a phone and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1c1d21; --soft: #5d6068; --faint: #8b8f99; --rule: #e4e5e8;
  --c0: #2468c9; --c1: #d9591c; --c2: #14905f; --c3: #8a4fd0; --c4: #b07a00; --c5: #c2357c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131417; --card: #1b1d21; --ink: #ececee; --soft: #a8acb5; --faint: #7d828d; --rule: #2d3037;
    --c0: #6aa5f8; --c1: #f58a53; --c2: #45c391; --c3: #b48cf0; --c4: #dcac3c; --c5: #ee78ac;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 56px 24px 72px; max-width: 928px; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
h1 { margin: 0; font-size: 40px; line-height: 1.1; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { margin: 56px 0 4px; font-size: 21px; letter-spacing: -0.01em; }
h3 { margin: 0; font-size: 15px; }
p { margin: 10px 0; max-width: 68ch; overflow-wrap: anywhere; }
.kicker { margin: 0 0 8px; color: var(--faint); font-size: 14px; }
.story { font-size: 18px; }
.soft, figcaption { color: var(--soft); font-size: 14px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 1px; margin: 28px 0 0;
  padding: 0; background: var(--rule); border: 1px solid var(--rule); border-radius: 12px; overflow: hidden; }
.facts div { padding: 14px 16px; background: var(--card); }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 2px 0 0; font-size: 21px; font-weight: 600; letter-spacing: -0.01em; line-height: 1.25; }
.facts small { display: block; color: var(--faint); font-size: 13px; font-weight: 400; letter-spacing: 0; }
.notice { margin: 28px 0 0; padding: 12px 18px; border-left: 4px solid var(--c4); border-radius: 4px;
  background: var(--card); }
.notice p { margin: 0; }
.notice ul { margin: 4px 0 0; padding-left: 20px; }
figure { margin: 16px 0 0; min-width: 0; }
figcaption { margin-top: 6px; }
img { display: block; max-width: 100%; height: auto; border-radius: 6px; background: #fff; }
.pixels { image-rendering: pixelated; }
.earlier { display: grid; grid-template-columns: 1fr 1fr; gap: 0 16px; align-content: start; }
.earlier img { width: 100%; }
.below .earlier { grid-template-columns: repeat(auto-fill, minmax(min(45%, 260px), 1fr)); }
@media (min-width: 760px) { .beside { display: grid; grid-template-columns: 5fr 3fr; gap: 0 20px; } }
.beside > figure img { width: 100%; }
.card { margin: 16px 0 0; padding: 16px 18px 12px; min-width: 0; background: var(--card);
  border: 1px solid var(--rule); border-radius: 12px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 0 16px; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 240px), 1fr)); gap: 0 16px; }
.small .card { padding: 12px 14px 6px; }
.small h3 { font-size: 13px; font-weight: 600; overflow-wrap: anywhere; }
.plot { overflow-x: auto; }
.plot svg { display: block; width: 100%; height: auto; margin-top: 8px; }
.wide svg { min-width: 560px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin-top: 4px; color: var(--soft); font-size: 14px; }
.legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.entry i { display: inline-block; width: 12px; height: 12px; margin-right: 7px; border-radius: 3px;
  background: var(--colour); vertical-align: -1px; }
.colour-0 { --colour: var(--c0); } .colour-1 { --colour: var(--c1); } .colour-2 { --colour: var(--c2); }
.colour-3 { --colour: var(--c3); } .colour-4 { --colour: var(--c4); } .colour-5 { --colour: var(--c5); }
svg text { font-family: inherit; font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .axis { fill: var(--faint); }
.grid { stroke: var(--rule); stroke-width: 1; }
.base { stroke: var(--faint); stroke-width: 1; }
.mark { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 2 3; }
.reference { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; }
.raw, .smooth { fill: none; stroke: var(--colour); stroke-linejoin: round; stroke-linecap: round; }
.raw { stroke-width: 1; opacity: 0.28; }
.smooth { stroke-width: 2; }
.end { fill: var(--colour); }
table { width: 100%; border-collapse: collapse; margin-top: 8px; font-size: 14px; }
th, td { padding: 6px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
tr:last-child th, tr:last-child td { border-bottom: 0; }
th { padding-right: 20px; color: var(--soft); font-weight: 400; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
pre { margin: 10px 0; padding: 12px 16px; background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  overflow-x: auto; font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
details { margin-top: 16px; }
summary { cursor: pointer; font-weight: 600; font-size: 15px; }
footer { margin-top: 64px; padding-top: 16px; border-top: 1px solid var(--rule); color: var(--faint); font-size: 13px; }
@media (max-width: 560px) { body { padding: 32px 16px 48px; } h1 { font-size: 30px; } .story { font-size: 17px; } }
@media print { body { max-width: none; } .card, figure { break-inside: avoid; } }
"""
