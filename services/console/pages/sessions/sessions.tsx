import { Nothing, Page } from '../../parts/page.tsx';
export default function Sessions({ rest }: { readonly rest: readonly string[] }) {
  return <Page title="Sessions"><Nothing>{rest.join('/')}</Nothing></Page>;
}
