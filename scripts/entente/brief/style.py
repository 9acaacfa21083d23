# SPDX-License-Identifier: Apache-2.0
"""The look of the page: light, dark, paper.

Text is at least 4.5 : 1 against its ground in both schemes; colour never says anything that a word or a
mark does not say as well.
"""

LIGHT = """
--paper:#fbfaf7;--card:#fff;--ink:#1b1d22;--soft:#585d68;--rule:#dfdbd1;--grid:#ebe8e0;--accent:#15608f;
--area:#15608f1f;--now:#15608f12;--middle:#c3d7e4;--good:#1a6b3e;--bad:#b3261e;--warn:#8a5200;--ask:#5d40a2;
--hatch-ground:#f1efe9;--hatch-line:#c4beb0;--has:#6d9dbb"""
DARK = """
--paper:#121418;--card:#1a1d23;--ink:#eceae4;--soft:#a8adb8;--rule:#343943;--grid:#2a2e36;--accent:#7cbbe8;
--area:#7cbbe826;--now:#7cbbe816;--middle:#2f4f66;--good:#71d19a;--bad:#ff8d80;--warn:#f2b861;--ask:#bda8f7;
--hatch-ground:#20242b;--hatch-line:#4d535f;--has:#4a7fa3"""

CSS = """
:root{color-scheme:light dark;LIGHT_COLORS}
@media (prefers-color-scheme:dark){:root{DARK_COLORS}}
*{box-sizing:border-box;margin:0}
html{font-size:clamp(16px,.62vw + 10px,24px);-webkit-text-size-adjust:100%}
body{background:var(--paper);color:var(--ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif;
font-variant-numeric:lining-nums tabular-nums;
overflow-wrap:break-word}
main,header,footer{max-width:68rem;margin-inline:auto;padding-inline:clamp(1rem,3vw,2rem)}
h1,h2,.big{font-family:Charter,"Bitstream Charter","Iowan Old Style","Sitka Text",Cambria,Georgia,
"Liberation Serif",serif;
font-weight:600;line-height:1.15;text-wrap:balance}
h1{font-size:clamp(1.9rem,5vw,2.7rem);letter-spacing:-.01em}
h2{font-size:1.45rem;margin-bottom:.25rem}
section{padding-top:2.4rem}
section>p.lead{color:var(--soft);max-width:52rem;margin-bottom:1rem;text-wrap:pretty}
a{color:var(--accent)}
header{padding-top:2.2rem}
.kicker{color:var(--soft);font-size:.85rem;display:flex;flex-wrap:wrap;justify-content:space-between;
gap:.2rem 1.5rem;
border-bottom:1px solid var(--rule);padding-bottom:.6rem;margin-bottom:1.1rem}
.kicker b{color:var(--ink);font-weight:600}
.chips{color:var(--soft);margin-top:.45rem}
.chips span:not(:last-child)::after{content:"\\00b7";margin-inline:.5em}
.sum{font-size:1.15rem;max-width:48rem;margin-top:1.1rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,14.5rem),1fr));gap:1px;
background:var(--card);
border:1px solid var(--rule);border-radius:.5rem;overflow:hidden}
.card{background:var(--card);padding:1rem 1.1rem 1.05rem;display:flex;flex-direction:column;gap:.15rem;
box-shadow:0 0 0 1px var(--rule)}
.card h3{font-size:.9rem;font-weight:600;color:var(--soft)}
.big{font-size:1.85rem;letter-spacing:-.01em}
.big small{font:600 .8rem system-ui,sans-serif;color:var(--soft);letter-spacing:0;margin-left:.15em}
.card p:not(.big){font-size:.9rem;line-height:1.4}
.delta{font-weight:600}.up-good,.down-good{color:var(--good)}.up-bad,.down-bad{color:var(--bad)}
.soft,.card .soft{color:var(--soft);font-weight:400}
.unknown{color:var(--ask);font-weight:600}
.card .big.unknown{font-style:italic}
.findings{display:grid;gap:.8rem}
.finding{background:var(--card);border:1px solid var(--rule);border-left:.4rem solid var(--tone);
border-radius:.4rem;
padding:.95rem 1.2rem 1rem;display:grid;grid-template-columns:1fr auto;gap:.3rem 1.5rem;break-inside:avoid}
.finding .meta{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:.1rem .9rem;font-size:.85rem;
color:var(--soft)}
.finding .kind{color:var(--tone);font-weight:700}
.finding .say{font-size:1.15rem;font-weight:600;line-height:1.4;text-wrap:pretty;max-width:52rem}
.wide .say{grid-column:1/-1;max-width:none}
.worth{text-align:right;white-space:nowrap}
.worth .big{font-size:1.5rem;display:block}
.worth span:not(.big){font-size:.85rem;color:var(--soft)}
.red_flag{--tone:var(--bad)}.opportunity,.proposal{--tone:var(--good)}.gate{--tone:var(--warn)}
.insight{--tone:var(--accent)}.ask{--tone:var(--ask)}
.rest,.rows{grid-column:1/-1;border-top:1px solid var(--rule);margin-top:.55rem;padding-top:.45rem;
font-size:.86rem}
.rest>p{color:var(--soft)}
.rest summary{cursor:pointer;color:var(--soft)}
.rows{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-weight:600;color:var(--soft)}
th,td{text-align:right;padding:.2rem 0 .2rem 1rem;white-space:nowrap}
th:first-child,td:first-child,table .left{text-align:left}
th:first-child,td:first-child{padding-left:0}
tbody tr{border-top:1px solid var(--grid)}
dl.evidence{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:0 1.6rem}
.evidence div{display:flex;justify-content:space-between;gap:.8rem;padding:.18rem 0}
.evidence dt{color:var(--soft)}.evidence dd{text-align:right;flex:none;max-width:60%;font-weight:600}
.evidence dd small{display:block;font-weight:400;color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1.6rem 1.8rem}
figure{break-inside:avoid;min-width:0}
figcaption{display:flex;justify-content:space-between;align-items:baseline;gap:1rem;
border-top:2px solid var(--ink);
padding-top:.4rem}
figcaption b{font-weight:650}figcaption span{color:var(--soft);font-size:.85rem;text-align:right}
svg{display:block;overflow:visible}
svg text{font:500 12px system-ui,"Liberation Sans",sans-serif;fill:var(--soft);
font-variant-numeric:tabular-nums}
.plot .grid{stroke:var(--grid);stroke-width:1;vector-effect:non-scaling-stroke}
.plot .axis,.tick{stroke:var(--soft);stroke-width:1;vector-effect:non-scaling-stroke}
.plot .line{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round;
vector-effect:non-scaling-stroke}
.plot .area{fill:var(--area)}.now{fill:var(--now)}.hole{fill:url(#hatch)}
.plot text.y{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.hatch-ground{fill:var(--hatch-ground)}.hatch-line{stroke:var(--hatch-line);stroke-width:3}
.bands{border-top:1px solid var(--rule)}
.bandrow{display:grid;grid-template-columns:11rem 1fr 11rem;gap:0 1.2rem;align-items:center;
padding:.45rem 0;
border-bottom:1px solid var(--rule);break-inside:avoid}
.bandrow h3{font-size:1rem;font-weight:600}.bandrow p{font-size:.88rem;line-height:1.35}
.bandrow .why{grid-column:2/-1;padding:.5rem 0}
.rail{stroke:var(--grid);stroke-width:2}.middle{fill:var(--middle)}.median{stroke:var(--ink);
stroke-width:2.5}
.dot{fill:var(--accent);stroke:var(--card);stroke-width:2}
.band text{font-size:13px}.band text.own{font-weight:700;font-size:14px;fill:var(--accent)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;font-size:.85rem;color:var(--soft);margin:.6rem 0 0}
.legend i{display:inline-block;width:1.1em;height:.75em;border-radius:2px;margin-right:.45em;
vertical-align:baseline}
.legend .l-middle{background:var(--middle)}.legend .l-has{background:var(--has)}
.legend .l-median{width:.2em;height:1em;background:var(--ink);vertical-align:-.1em}
.legend .l-dot{width:.8em;height:.8em;border-radius:50%;background:var(--accent)}
.legend .l-hole{background:repeating-linear-gradient(45deg,var(--hatch-ground) 0 3px,
var(--hatch-line) 3px 6px)}
.asks{display:grid;gap:.8rem;padding:0;list-style:none}
.asks li{border-left:.4rem solid var(--ask);background:var(--card);border-radius:.4rem;padding:.8rem 1.2rem;
outline:1px solid var(--rule);outline-offset:-1px;break-inside:avoid}
.asks b{font-size:1.08rem}.asks p{font-size:.92rem}
.strips{font-size:.9rem}
.striprow{display:grid;grid-template-columns:11rem 1fr 11rem;gap:0 1.2rem;align-items:center;
padding:.3rem 0;
break-inside:avoid}
.strips .soft{font-size:.85rem;line-height:1.3}
.has{fill:var(--has)}.mark{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:3 2}
.months{grid-column:2}
.bad{color:var(--bad);font-weight:600}
footer{margin-top:3rem;padding-block:1.4rem 2.5rem;font-size:.82rem;color:var(--soft)}
footer .inner{border-top:1px solid var(--rule);padding-top:1rem}
footer h2{font-size:1rem}
footer dl{columns:22rem;column-gap:2rem;margin-top:.6rem}
footer dl div{break-inside:avoid;padding:.15rem 0}footer dt{color:var(--ink);font-weight:600}
code{font:.92em ui-monospace,"Cascadia Mono","Liberation Mono",monospace;overflow-wrap:anywhere}
@media (min-width:44.01rem){.charts.even{grid-template-columns:1fr 1fr}}
@media (max-width:44rem){
section{padding-top:1.9rem}
.cards{grid-template-columns:1fr 1fr}.card{padding:.8rem .85rem}.big{font-size:1.45rem}
.finding{grid-template-columns:1fr;padding:.85rem 1rem}.worth{text-align:left}.worth .big{display:inline;
font-size:1.3rem}
.bandrow{grid-template-columns:1fr auto}.bandrow svg,.bandrow .why{grid-column:1/-1;order:3}
.bandrow p{text-align:right}.bandrow .why{text-align:left;padding:.1rem 0 .3rem}
.striprow{grid-template-columns:1fr auto}.striprow svg{grid-column:1/-1;order:3}
.striprow div:last-child{text-align:right}}
@media (max-width:22rem){.cards{grid-template-columns:1fr}}
@media print{
.finding:has(.rows,details){display:block;break-inside:auto}
.finding:has(.rows,details) .worth{text-align:left}
.findings{display:block}.finding{margin-bottom:.8rem}tr,.evidence div{break-inside:avoid}
.meta,.say{break-after:avoid}
.rest::details-content{content-visibility:visible;block-size:auto}
@page{margin:14mm 13mm}
:root{LIGHT_COLORS;--paper:#fff;color-scheme:light}
html{font-size:9.5pt}body{background:#fff}
header{padding-top:0}main,header,footer{max-width:none;padding-inline:0}
section{padding-top:1.5rem}h2,section>p.lead{break-after:avoid}
.cards{grid-template-columns:repeat(4,1fr);break-inside:avoid}
.charts{grid-template-columns:repeat(3,1fr);gap:1.1rem 1.2rem}
dl.evidence{grid-template-columns:repeat(3,1fr)}.bandrow,.striprow{grid-template-columns:9rem 1fr 10rem}
.cards,.card,.finding,.asks li,svg *,.legend i{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""".replace("LIGHT_COLORS", LIGHT.replace("\n", "")).replace("DARK_COLORS", DARK.replace("\n", ""))
