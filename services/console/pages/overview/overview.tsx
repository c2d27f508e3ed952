import { Nothing, Page } from '../../parts/page.tsx';
export default function Overview({ rest }: { readonly rest: readonly string[] }) {
  return <Page title="Overview"><Nothing>{rest.join('/')}</Nothing></Page>;
}
