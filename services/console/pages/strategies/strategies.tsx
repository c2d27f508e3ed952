import { Nothing, Page } from '../../parts/page.tsx';
export default function Strategies({ rest }: { readonly rest: readonly string[] }) {
  return <Page title="Strategies"><Nothing>{rest.join('/')}</Nothing></Page>;
}
