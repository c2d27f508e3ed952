import { Nothing, Page } from '../../parts/page.tsx';
export default function Commands({ rest }: { readonly rest: readonly string[] }) {
  return <Page title="Commands"><Nothing>{rest.join('/')}</Nothing></Page>;
}
