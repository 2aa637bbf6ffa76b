/// The style of pages: light and dark, on phones and wide screens, and in print.
enum StyleSheet {
  static var text: String {
    let lines = Palette.series.indices.map { index in
      let dash = Palette.dashes[index]
      return ".l\(index){stroke:var(--c\(index))\(dash.isEmpty ? "" : ";stroke-dasharray:\(dash)")}"
        + ".g\(index),.n\(index),.a\(index){fill:var(--c\(index))}.r\(index){stroke:var(--c\(index))}"
    }
    return Palette.properties + page + blocks + pictures + lines.joined() + ".whole{stroke-dasharray:none}\n"
      + narrow + print
  }

  private static let page = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
    body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
    "Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
    .page{max-width:70rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
    .skip{position:absolute;left:-999rem;background:var(--paper);padding:.5rem 1rem;border:2px solid var(--link)}
    .skip:focus{left:1rem;top:1rem;z-index:9}
    a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
    :focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
    h1,h2,h3,h4{line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
    h1{font-size:2rem}
    h2{font-size:1.5rem}
    h3{font-size:1.1rem;margin:2.5rem 0 .5rem}
    h4{font-size:.95rem}
    p{margin:.4rem 0;max-width:46rem}
    ul{margin:.5rem 0;padding-left:1.2rem;max-width:46rem}
    li{margin:.25rem 0}
    code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
    pre{margin:.5rem 0;padding:.75rem 1rem;background:var(--shade);white-space:pre-wrap;overflow-wrap:anywhere}
    .eyebrow,.soft,.note{color:var(--soft)}
    .eyebrow{font-size:.875rem;margin:0 0 .35rem}
    .note{font-size:.875rem;line-height:1.45}
    .lead{font-size:1.125rem;margin:.75rem 0}
    footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--rule);font-size:.875rem;color:var(--soft)}

    """

  private static let blocks = """
    .verdict{display:inline-block;padding:.05em .5em .1em;border-radius:.25em;color:var(--paper);margin-right:.35em;
    print-color-adjust:exact;-webkit-print-color-adjust:exact}
    .verdict.passed,.verdict.better{background:var(--good)}
    .verdict.missed,.verdict.worse{background:var(--bad)}
    .verdict.invalid,.verdict.unclear{background:var(--warn)}
    .verdict.same,.verdict.none{background:var(--soft)}
    .chip{font-weight:600;white-space:nowrap}
    .chip.good{color:var(--good)}
    .chip.bad{color:var(--bad)}
    .chip.warn{color:var(--warn)}
    .chip.idle{color:var(--soft);font-weight:400}
    .tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(6.75rem,1fr));gap:1rem 1.5rem;margin:1.25rem 0}
    .tiles.wide{grid-template-columns:repeat(auto-fill,minmax(9rem,1fr))}
    .tiles div{border-top:1px solid var(--rule);padding-top:.5rem}
    .tiles dt{font-size:.8125rem;color:var(--soft)}
    .tiles dd{margin:0;font-size:1.375rem;line-height:1.3;font-weight:600;letter-spacing:-.01em}
    .meta{display:flex;flex-wrap:wrap;gap:.15rem 1.5rem;margin:.75rem 0;font-size:.875rem}
    .meta dt{display:inline;color:var(--soft)}
    .meta dd{display:inline;margin:0}
    section.scenario{margin-top:4rem;padding-top:2rem;border-top:2px solid var(--ink)}
    .scroll{overflow-x:auto;margin:.75rem 0;max-width:100%}
    table{border-collapse:collapse;font-size:.875rem;line-height:1.4;min-width:100%}
    caption{text-align:left;color:var(--soft);padding-bottom:.35rem}
    caption.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    th,td{padding:.45rem .9rem .45rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    th:last-child,td:last-child{padding-right:0}
    thead th{font-weight:500;color:var(--soft);border-bottom-color:var(--soft);vertical-align:bottom}
    tbody th{font-weight:500;position:sticky;left:0;background:var(--paper);max-width:20rem}
    .number{text-align:right;white-space:nowrap}
    .plain{white-space:nowrap}
    .words{min-width:14rem}
    figure{margin:1rem 0 0;min-width:0}
    figcaption{margin-bottom:.35rem}
    .pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:1.75rem 2.5rem}
    .small{grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr))}
    details{margin:.5rem 0}
    summary{cursor:pointer;color:var(--link);font-size:.875rem;width:fit-content}
    details.more{border-top:1px solid var(--rule);padding-top:.6rem;margin:.6rem 0}
    details.more>summary{font-size:1rem;font-weight:600;color:var(--ink)}
    .notice{border-left:4px solid var(--warn);background:var(--shade);padding:.6rem 1rem;margin:1rem 0;max-width:46rem}
    .findings li::marker{color:var(--bad)}
    .findings li.missed,.findings li.failed{list-style-type:"✗  "}
    .findings li.invalid,.findings li.warning{list-style-type:"!  "}
    .findings .why{margin:.15rem 0 .6rem;font-size:.9375rem}
    .findings li.invalid::marker{color:var(--warn);font-weight:700}
    .findings li.warning{color:var(--soft)}
    .findings li.warning::marker,.findings li.excused::marker{color:var(--soft)}

    """

  private static let pictures = """
    svg.picture{display:block;overflow:visible}
    svg.gutter{padding-left:3.75rem}
    .picture text{font-size:12px;fill:var(--soft)}
    .picture .name,.picture .row-name{paint-order:stroke;stroke:var(--paper);stroke-width:4px;
    stroke-linejoin:round}
    .picture .name{font-weight:600}
    .picture .row-name{font-size:13px;fill:var(--ink);font-weight:500}
    .picture .group-name{font-size:13px;fill:var(--ink);font-weight:650}
    .picture .row-value{font-size:13px;fill:var(--ink)}
    .picture .limit-name{fill:var(--ink);font-weight:500}
    .grid{stroke:var(--rule);stroke-width:1}
    .axis,.zero{stroke:var(--soft);stroke-width:1}
    .band{fill:var(--shade)}
    .limit{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
    .gate{stroke:var(--paper);stroke-width:1.5}
    .gate.met,.value.met{fill:var(--good)}
    .gate.missed,.value.missed{fill:var(--bad)}
    .place{stroke:var(--soft);stroke-width:1;stroke-dasharray:1 3}
    .range{stroke-width:1.5;fill:none}
    .line{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}
    .line.thin{stroke-width:1.25}
    .line.faint{stroke-opacity:.45}
    .ground{fill-opacity:.13;stroke:none}
    .area{stroke:var(--paper);stroke-width:1}
    .area.failed{stroke:var(--ink);stroke-width:1.5}
    .cross{stroke:var(--ink);stroke-width:2;fill:none}
    .cut{stroke:var(--paper);stroke-opacity:.8;fill:none;pointer-events:none}
    .track{fill:var(--rule)}
    .gate-line{stroke:var(--ink);stroke-width:1.5}
    .beyond{fill:none;stroke:var(--paper);stroke-width:2}
    .margin{display:block}
    .whisker{stroke:var(--ink);stroke-width:1.75}
    .estimate{fill:var(--ink);stroke:var(--paper);stroke-width:1.5}
    .estimate.better{fill:var(--good)}
    .estimate.worse{fill:var(--bad)}
    .estimate.unclear{fill:var(--paper);stroke:var(--ink)}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;padding:0;margin:.25rem 0 .5rem;
    font-size:.8125rem;max-width:none}
    .legend li{display:inline-flex;align-items:center;gap:.4rem;margin:0}
    .legend svg{flex:none}
    .lanes{display:grid;grid-template-columns:auto minmax(0,1fr);column-gap:.6rem}
    .lane-names{font-size:12px;line-height:24px;color:var(--soft);white-space:nowrap}

    """

  private static let narrow = """
    @media (max-width:40rem){
    .page{padding:1.5rem 1rem 3rem}
    h1{font-size:1.6rem}
    h2{font-size:1.3rem}
    .lead{font-size:1rem}
    .picture .spare{display:none}
    tbody th{max-width:11rem}
    .targets th,.targets td{padding-right:.6rem}
    .targets tbody th{min-width:7rem;max-width:8rem;overflow-wrap:anywhere}
    .tiles{grid-template-columns:repeat(auto-fill,minmax(7rem,1fr))}
    .tiles dd{font-size:1.15rem}
    }

    """

  private static let print = """
    @media print{
    body{font-size:9.5pt}
    .page{max-width:none;padding:0}
    .skip,.numbers,.back{display:none}
    .scroll{overflow:visible}
    table{font-size:7pt;width:100%;min-width:0}
    th,td{padding:.2rem .35rem .2rem 0}
    .number,.plain{white-space:normal}
    .words{min-width:0}
    td .margin{width:5rem}
    .note,.meta,.legend{font-size:8pt}
    .lead{font-size:11pt}
    .tiles{grid-template-columns:repeat(auto-fill,minmax(5rem,1fr))}
    .tiles dd{font-size:12pt}
    h1{font-size:18pt}
    h2{font-size:14pt}
    h3{font-size:11pt;margin-top:1.25rem}
    h4,details.more>summary{font-size:9.5pt}
    .picture text,.lane-names{font-size:10px}
    tbody th{position:static;max-width:11rem}
    section.scenario{break-before:page;margin-top:0;border-top:0;padding-top:0}
    figure,tr,.tiles,pre{break-inside:avoid}
    h2,h3,h4,figcaption,caption{break-after:avoid}
    .pictures{grid-template-columns:1fr 1fr;gap:1rem 1.5rem}
    .pictures.one{grid-template-columns:1fr}
    .pictures.small{grid-template-columns:1fr 1fr 1fr}
    details.more::details-content{content-visibility:visible;block-size:auto}
    a{color:inherit;text-decoration:none}
    }

    """
}
