import Handlebars from 'handlebars'

export interface ListedApplication {
  name: string
  hosts: { name: string; url: string }[]
  flows: number
  devices: number
  users: number
}

const style = `
  :root { color-scheme: light dark; --ink: light-dark(#12232b, #e8eef0); --muted: light-dark(#55666f, #9fb0b8);
    --line: light-dark(#dfe6e8, #2b3a42); --ground: light-dark(#f4f7f6, #10191e); --surface: light-dark(#fff, #18242a);
    --brand: light-dark(#0b5f58, #6fcbbd);
    font: 16px/1.5 -apple-system, "Segoe UI", Roboto, Ubuntu, Cantarell, "Noto Sans", "Liberation Sans", Arial, sans-serif }
  * { box-sizing: border-box; margin: 0; padding: 0 }
  body { min-height: 100vh; background: var(--ground); color: var(--ink); font-variant-numeric: tabular-nums }
  main { max-width: 60rem; margin: 0 auto; padding: clamp(2rem, 6vw, 4rem) clamp(1rem, 4vw, 2rem) }
  .brand { display: flex; align-items: center; gap: .75rem }
  .brand svg { width: 2.25rem; height: 2.25rem; flex: none }
  h1 { font-size: 1.6rem; letter-spacing: -.02em; line-height: 1.2 }
  .lead { margin: .5rem 0 2rem; color: var(--muted) }
  ul { list-style: none }
  .applications { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem }
  .application { padding: 1.2rem 1.35rem; border: 1px solid var(--line); border-radius: 14px; background: var(--surface) }
  h2 { font-size: 1.125rem; line-height: 1.3; overflow-wrap: anywhere }
  a { display: inline-block; padding: .3rem 0; color: var(--brand); overflow-wrap: anywhere; text-underline-offset: 3px }
  :focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; border-radius: 4px }
  dl { display: flex; gap: 1.75rem; margin-top: .75rem; padding-top: .9rem; border-top: 1px solid var(--line) }
  dt { color: var(--muted); font-size: .85rem }
  dd { font-size: 1.2rem; font-weight: 650; line-height: 1.3 }
  .empty { padding: 3rem 1.5rem; border: 1px dashed var(--line); border-radius: 14px; text-align: center }
  .empty p { color: var(--muted); margin-top: .4rem }
  code { font: .9em ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; color: var(--ink) }
`

// A gate in a stream: two posts, a panel, two lines of water.
const mark =
  '<rect width="32" height="32" rx="8" fill="#0b5f58"/><path d="M8 7v18M24 7v18" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/>' +
  '<path d="M11 9h10v7H11z" fill="#ffd479"/><path d="M11 20.5c1.7-1.5 3.3-1.5 5 0s3.3 1.5 5 0M11 24.500c1.7-1.5 3.3-1.5 5 0s3.3 1.5 5 0" fill="none" stroke="#7fc4b8" stroke-width="1.8" stroke-linecap="round"/>'

const svg = (attributes: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"${attributes}>${mark}</svg>`
const icon = `data:image/svg+xml,${encodeURIComponent(svg(''))}`

const render = Handlebars.compile<{ applications: readonly ListedApplication[] }>(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headgate</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<main>
<h1 class="brand">${svg(' aria-hidden="true"')}Headgate</h1>
<p class="lead">The applications that run on this server.</p>
{{#if applications}}
<ul class="applications">
{{#each applications}}
<li class="application">
  <h2>{{name}}</h2>
  <ul>{{#each hosts}}<li><a href="{{url}}">{{url}}</a></li>{{else}}<li>No address yet</li>{{/each}}</ul>
  <dl><div><dt>Flows</dt><dd>{{flows}}</dd></div><div><dt>Devices</dt><dd>{{devices}}</dd></div><div><dt>Users</dt><dd>{{users}}</dd></div></dl>
</li>
{{/each}}
</ul>
{{else}}
<div class="empty">
  <h2>No application yet</h2>
  <p>Import a folder: <code>npm run headgate -- import DIR</code></p>
</div>
{{/if}}
</main>
</body>
</html>
`)

/** The front page of the admin host: each application with its addresses and what it holds. */
export function adminPage(applications: readonly ListedApplication[]): string {
  return render({ applications })
}
