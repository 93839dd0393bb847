// The pages and their addresses. History mode, not hash: pages to people carry
// links, and messengers and log-in redirects lose what stands behind a "#". The
// daemon answers every such address with index.html (dashboards/board.go). Pages
// come in one piece: a wall screen must still turn pages while the daemon is away.
import { createRouter, createWebHistory, type Router } from 'vue-router';
import FacilitiesPage from './pages/FacilitiesPage.vue';
import FacilityPage from './pages/FacilityPage.vue';
import FindingsPage from './pages/FindingsPage.vue';
import LampsPage from './pages/LampsPage.vue';
import LightingPage from './pages/LightingPage.vue';
import LivePage from './pages/LivePage.vue';
import LoginPage from './pages/LoginPage.vue';
import MissingPage from './pages/MissingPage.vue';
import PlacePage from './pages/PlacePage.vue';
import TicketPage from './pages/TicketPage.vue';
import TicketsPage from './pages/TicketsPage.vue';
import VendorsPage from './pages/VendorsPage.vue';
import WindowsPage from './pages/WindowsPage.vue';
import type { Session } from './session';

declare module 'vue-router' {
  interface RouteMeta {
    /** The catalogue key of the page's title. */
    title: string;
    /** Open to everybody. */
    open?: boolean;
  }
}

export function createRoutes(session: Session): Router {
  const router = createRouter({
    history: createWebHistory(),
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
    routes: [
      { path: '/', name: 'live', component: LivePage, meta: { title: 'nav.live' } },
      { path: '/tickets/:id(\\d+)', name: 'ticket', component: TicketPage, props: (to) => ({ id: Number(to.params['id']) }), meta: { title: 'ticket.title' } },
      { path: '/tickets', name: 'tickets', component: TicketsPage, meta: { title: 'nav.tickets' } },
      { path: '/facilities', name: 'facilities', component: FacilitiesPage, meta: { title: 'nav.facilities' } },
      { path: '/facilities/:id', name: 'facility', component: FacilityPage, props: true, meta: { title: 'facility.title' } },
      { path: '/places/:id', name: 'place', component: PlacePage, props: true, meta: { title: 'place.title' } },
      { path: '/lighting', name: 'lighting', component: LightingPage, meta: { title: 'nav.lighting' } },
      { path: '/lighting/lamps', name: 'lamps', component: LampsPage, meta: { title: 'lighting.lamps' } },
      { path: '/lighting/findings', name: 'findings', component: FindingsPage, meta: { title: 'finding.title' } },
      { path: '/windows', name: 'windows', component: WindowsPage, meta: { title: 'nav.windows' } },
      { path: '/vendors/:tab(quarantine|unknown|gaps)?', name: 'vendors', component: VendorsPage, props: (to) => ({ tab: to.params['tab'] || 'quarantine' }), meta: { title: 'nav.vendors' } },
      { path: '/login', name: 'login', component: LoginPage, meta: { title: 'login.title', open: true } },
      { path: '/:rest(.*)*', name: 'missing', component: MissingPage, meta: { title: 'missing.title' } },
    ],
  });
  router.beforeEach((to) => {
    if (!session.who.value && !to.meta.open) return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } };
    if (session.who.value && to.name === 'login') return afterLogin(to.query['next']);
    return true;
  });
  return router;
}

/** Where a log-in leads: back to the page that asked for it, never off this site. */
export function afterLogin(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/';
}
