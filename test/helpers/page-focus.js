// Runs in a page of the browser: what has the focus and whether that can be seen; undefined when nothing has it. See page-check.ts.
(() => {
  const element = document.activeElement
  if (!element || element === document.body) return undefined
  const marked = [undefined, '::before', '::after'].some((part) => {
    const style = getComputedStyle(element, part)
    // 'auto' is the ring of the browser itself.
    return style.outlineStyle === 'auto' || (style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2)
  })
  const box = element.getBoundingClientRect()
  const inside = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
  return { seen: marked && inside, html: element.outerHTML.replace(/\s+/g, ' ').slice(0, 80) }
})()
