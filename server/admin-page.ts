import Handlebars from 'handlebars'

export interface ListedApplication {
  name: string
  hosts: { name: string; url: string }[]
  flows: number
  devices: number
  users: number
}

const render = Handlebars.compile<{ applications: readonly ListedApplication[] }>(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headgate</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem }
  h1 { margin: 0; font-size: 1.75rem }
  p { margin: .25rem 0 2rem; opacity: .75 }
  article { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: .75rem; padding: 1rem 1.25rem; margin-bottom: 1rem }
  h2 { margin: 0 0 .25rem; font-size: 1.125rem }
  ul { margin: 0; padding: 0; list-style: none }
  a { overflow-wrap: anywhere }
  small { opacity: .75 }
</style>
</head>
<body>
<h1>Headgate</h1>
<p>The applications that run on this server.</p>
{{#each applications}}
<article>
  <h2>{{name}}</h2>
  <ul>{{#each hosts}}<li><a href="{{url}}">{{url}}</a></li>{{/each}}</ul>
  <small>{{flows}} flows, {{devices}} devices, {{users}} users</small>
</article>
{{else}}
<p>None yet. Import one: <code>npm run headgate -- import DIR</code></p>
{{/each}}
</body>
</html>
`)

/** The front page of the admin host: each application with its addresses and what it holds. */
export function adminPage(applications: readonly ListedApplication[]): string {
  return render({ applications })
}
